// Drives pages in a browser and says what is wrong with them: node drive.js PAGE=FIGURE,FIGURE… …
// CHROMIUM is the browser. Ends with 1 where anything is wrong.

const fs = require("fs");
const path = require("path");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const SIZES = [[1280, 900], [400, 800]];
// The width of A4 between margins of 15 mm, in pixels of CSS.
const PAPER = [680, 1000];
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"];

// What is wrong with the page as it is laid out; runs in the page.
function inspect(figures) {
    const wrong = [];
    const say = (condition, text) => { if (!condition) wrong.push(text); };
    const found = [...document.querySelectorAll("figure")].map(figure => figure.id);
    say(figures.length === found.length && figures.every(id => found.includes(id)), `figures are ${found}`);
    say(document.documentElement.scrollWidth <= innerWidth, `${document.documentElement.scrollWidth} pixels wide`);

    // Headings: one h1, and no level left out.
    const levels = [...document.querySelectorAll("h1,h2,h3,h4")].map(heading => Number(heading.tagName[1]));
    say(levels[0] === 1 && levels.filter(level => level === 1).length === 1, `headings ${levels}`);
    say(levels.every((level, i) => i === 0 || level <= levels[i - 1] + 1), `headings ${levels}`);
    for (const table of document.querySelectorAll("table")) {
        const name = table.caption?.textContent || table.closest("details")?.querySelector("summary").textContent;
        say(name, "a table without a name");
        const heads = [...table.querySelectorAll("thead th")];
        const columns = table.tHead.rows[0].cells.length;
        say(heads.length > 0 && heads.every(head => head.scope === "col"), `${name}: no heads of columns`);
        for (const row of table.querySelectorAll("tbody tr")) {
            say(row.cells.length === columns, `${name}: ${row.cells.length} cells in ${columns} columns`);
        }
    }

    for (const figure of document.querySelectorAll("figure")) {
        const svg = figure.querySelector("svg[role=img]");
        const names = svg?.getAttribute("aria-labelledby").split(" ").map(id => document.getElementById(id)?.textContent);
        say(names?.length === 2 && names.every(Boolean), `${figure.id}: no title or description`);
        const frame = svg.getBoundingClientRect();
        const texts = [...svg.querySelectorAll("text")].filter(text => text.textContent);
        const boxes = texts.map(text => text.getBoundingClientRect());
        say(texts.length > 0 && svg.querySelectorAll("text.name").length === (figure.id.startsWith("classes") ? 0 : 2),
            `${figure.id}: axes without names`);
        texts.forEach((text, i) => {
            const box = boxes[i];
            const inside = box.left >= frame.left - 1 && box.right <= frame.right + 1
                && box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1;
            say(inside, `${figure.id}: '${text.textContent}' is cut`);
            say(box.height >= 9 || innerWidth > 400, `${figure.id}: '${text.textContent}' is ${box.height} pixels high`);
            for (let j = 0; j < i; j++) {
                const other = boxes[j];
                // A line of text is higher than its letters; one that is turned is wider.
                const [across, down] = text.hasAttribute("transform") ? [3, 0] : [0, 3];
                const apart = box.left >= other.right - across || other.left >= box.right - across
                    || box.top >= other.bottom - down || other.top >= box.bottom - down;
                say(apart, `${figure.id}: '${text.textContent}' covers '${texts[j].textContent}'`);
            }
        });
        say(!/NaN|undefined|inf/.test(svg.outerHTML), `${figure.id}: a mark has no place`);
    }
    return wrong;
}

async function check(browser, file, figures) {
    const wrong = [];
    const shots = process.env.UNISPHERE_SHOTS;
    const name = path.basename(file, ".html");
    const views = ["light", "dark"].flatMap(scheme => SIZES.map(size => ({ scheme, size, media: "screen" })));
    views.push({ scheme: "dark", size: PAPER, media: "print" });
    for (const { scheme, size: [width, height], media } of views) {
        const where = `${name}, ${media === "print" ? "paper" : `${scheme}, ${width} wide`}`;
        const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
        const page = await context.newPage();
        const say = text => wrong.push(`${where}: ${text}`);
        page.on("console", message => say(`console: ${message.text()}`));
        page.on("pageerror", error => say(`error: ${error}`));
        const address = `file://${path.resolve(file)}`;
        page.on("request", request => request.url() === address || say(`asks for ${request.url()}`));
        await page.emulateMedia({ media, colorScheme: scheme });
        await page.goto(address);
        (await page.evaluate(inspect, figures)).forEach(say);
        await page.evaluate(axe);
        const found = await page.evaluate(() => axe.run({ resultTypes: ["violations"] }));
        for (const { id, help, nodes } of found.violations) say(`${id}: ${help}: ${nodes[0].html}`);
        if (shots) {
            fs.mkdirSync(shots, { recursive: true });
            await page.screenshot({ path: path.join(shots, `${name}-${media}-${scheme}-${width}.png`), fullPage: true });
        }
        if (media === "print") {
            const pdf = await page.pdf({ format: "A4", path: shots && path.join(shots, `${name}.pdf`) });
            if (pdf.length < 10000) say("the page is empty on paper");
        }
        await context.close();
    }
    console.log(`${name}: ${wrong.length ? "wrong" : "holds"}`);
    return wrong;
}

(async () => {
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS });
    const wrong = [];
    for (const argument of process.argv.slice(2)) {
        const [file, figures] = argument.split("=");
        wrong.push(...await check(browser, file, figures.split(",")));
    }
    await browser.close();
    wrong.forEach(text => console.error(text));
    process.exit(wrong.length ? 1 : 0);
})();
