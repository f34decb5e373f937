//! Pipelines, compiled at first use. A shader is the only list of its bindings: their layout is read from it.

use crate::{
    error::Result,
    gpu::{device::context::Context, kernel::table::Shader},
    pending::beside,
    precision::Storage,
};

impl Context {
    /// The pipeline of a kernel for points so stored.
    pub(crate) async fn pipeline(&self, shader: Shader, storage: Storage) -> Result<wgpu::ComputePipeline> {
        if let Some(pipeline) = self.pipelines().get(&(shader, storage)) {
            return Ok(pipeline.clone());
        }
        let (handles, checked) = (self.handles(), self.checked);
        let compiled = beside(async move {
            let compiling = async { Ok(compile(&handles.device, shader, storage, checked)) };
            handles.scoped("compiling a shader", compiling).await
        });
        let pipeline = compiled.await?;
        // Two that compiled at once have the same.
        self.pipelines().insert((shader, storage), pipeline.clone());
        Ok(pipeline)
    }

    /// Parameters and buffers, bound in the order of the shader's bindings 0, 1, …
    pub(crate) fn bind(
        &self,
        pipeline: &wgpu::ComputePipeline,
        params: wgpu::BufferBinding<'_>,
        buffers: &[&wgpu::Buffer],
    ) -> wgpu::BindGroup {
        let resources = std::iter::once(wgpu::BindingResource::Buffer(params))
            .chain(buffers.iter().map(|buffer| buffer.as_entire_binding()));
        let entries: Vec<_> = (0..)
            .zip(resources)
            .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        })
    }
}

/// Compiles a kernel, with the driver's bounds checks where these are asked for or may be needed.
fn compile(device: &wgpu::Device, shader: Shader, storage: Storage, checked: bool) -> wgpu::ComputePipeline {
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(shader.entry()),
        source: wgpu::ShaderSource::Wgsl(shader.text(storage).into()),
    };
    let module = if shader.unchecked() && !checked {
        let checks = wgpu::ShaderRuntimeChecks::unchecked();
        // SAFETY: every loop ends, after as many rounds as there are dimensions or points, of which there is one at
        // least; indices into workgroup memory follow from the tiling or from the kernel's own stages, all of which tests walk
        // through, or from the matrices; those into points, their centre and weights are cut off at the last or are of
        // whole tiles, and so are those into what is written, or compared with the end before.
        unsafe { device.create_shader_module_trusted(descriptor, checks) }
    } else {
        device.create_shader_module(descriptor)
    };
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(shader.entry()),
        layout: None,
        module: &module,
        entry_point: Some(shader.entry()),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &shader.constants(),
            // Every kernel writes its workgroup memory before it reads it.
            zero_initialize_workgroup_memory: false,
        },
        cache: None,
    })
}
