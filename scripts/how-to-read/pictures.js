// Takes pictures of figures of reports, beside each other: node pictures.js PAGES PICTURES
// PAGES is the folder of the reports, PICTURES where the pictures go, CHROMIUM the browser.

const fs = require("fs");
const path = require("path");
const { chromium } = require("playwright-core");

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"];
// A figure in pixels of CSS, and pixels of the picture to one of these.
const WIDTH = 420;
const SCALE = 1.6;

const NAMES = {
    verses: "Verses", pixels: "Pixels", circle: "Circle", trained: "Trained", collapsed: "Collapsed",
};
// Each picture: figures of reports, two in a row.
const PICTURES = {
    plane: ["verses plane", "circle plane", "trained plane", "collapsed plane"],
    distances: ["verses distances", "circle distances"],
    points: ["circle points-x", "pixels points-x", "trained points-x", "collapsed points-x"],
    angles: ["circle angles-x", "pixels angles-x"],
    curve: ["verses curve", "pixels curve"],
    cosines: ["verses cosines-x", "pixels cosines-x", "trained cosines-x", "collapsed cosines-x"],
    spectrum: ["verses spectrum", "trained spectrum"],
    potentials: ["pixels potentials", "circle potentials"],
    classes: ["pixels classes-x", "trained classes-x"],
};

(async () => {
    const [pages, pictures] = process.argv.slice(2);
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS });
    const context = await browser.newContext({ viewport: { width: 2 * WIDTH + 60, height: 900 }, deviceScaleFactor: SCALE, colorScheme: "light" });
    const page = await context.newPage();
    const open = async name => page.goto(`file://${path.resolve(pages, name)}.html`);

    const figures = {};
    let style;
    for (const name of Object.keys(NAMES)) {
        await open(name);
        style = await page.$eval("style", element => element.outerHTML);
        figures[name] = await page.$$eval("figure", found => found.map(figure => {
            figure.querySelectorAll("figcaption > :not(.scale), details").forEach(element => element.remove());
            // Of what is below the plot, the legend alone: the page beside the picture says the rest.
            const caption = figure.querySelector("figcaption");
            if (caption) caption.replaceChildren(...caption.querySelectorAll(".scale"));
            return [figure.id, figure.querySelector("h3").textContent, figure.innerHTML];
        }));
    }

    fs.mkdirSync(pictures, { recursive: true });
    for (const [picture, wanted] of Object.entries(PICTURES)) {
        const cells = wanted.map(of => {
            const [name, id] = of.split(" ");
            const found = figures[name].find(figure => figure[0] === id);
            if (!found) throw new Error(`the report of ${name} has no figure ${id}`);
            const title = found[1][0].toLowerCase() + found[1].slice(1);
            return `<figure>${found[2].replace(/<h3>.*?<\/h3>/, `<h3>${NAMES[name]}: ${title}</h3>`)}</figure>`;
        });
        await page.setContent(`<!DOCTYPE html><html lang="en"><head>${style}<style>
            :root { --panel: #ffffff; }
            body { width: max-content; }
            figure { border: 1px solid var(--grid); }
            #all { display: grid; grid-template-columns: ${WIDTH}px ${WIDTH}px; gap: 8px; padding: 1px; }
        </style></head><body><div id="all">${cells.join("")}</div></body></html>`);
        await (await page.$("#all")).screenshot({ path: path.join(pictures, `${picture}.png`) });
    }
    await browser.close();
})();
