"""A WebGPU device for another process: reads calls as lines of JSON and makes them with wgpu-py, that is wgpu and naga.

Every call is answered in order, by a line that may hold an error. Bytes travel in base64. It needs the package wgpu.
"""

import base64
import json
import sys

import wgpu

things = {}
passes = {}


def camel(name):
    first, *rest = name.split("-")
    return first + "".join(part.capitalize() for part in rest)


def opened(call):
    adapters = wgpu.gpu.enumerate_adapters_sync()
    adapter = next(one for one in adapters if one.info["backend_type"] == "Vulkan" and one.info["adapter_type"] == "CPU")
    things["device"] = adapter.request_device_sync(required_limits=adapter.limits)
    info = adapter.info
    return {
        "limits": {camel(name): value for name, value in things["device"].limits.items()},
        "info": {"vendor": info["vendor"], "device": f"wgpu-py {wgpu.__version__}", "description": info["device"]},
    }


def buffer(call):
    things[call["id"]] = things["device"].create_buffer(size=call["size"], usage=call["usage"])


def shader(call):
    things[call["id"]] = things["device"].create_shader_module(code=call["code"])


def group_layout(call):
    entries = [
        {"binding": at, "visibility": wgpu.ShaderStage.COMPUTE, "buffer": {"type": kind}} for at, kind in enumerate(call["types"])
    ]
    things[call["id"]] = things["device"].create_bind_group_layout(entries=entries)


def layout(call):
    things[call["id"]] = things["device"].create_pipeline_layout(bind_group_layouts=[things[one] for one in call["groups"]])


def pipeline(call):
    compute = {"module": things[call["module"]], "entry_point": call["entryPoint"]}
    whole = "auto" if call["layout"] == "auto" else things[call["layout"]]
    things[call["id"]] = things["device"].create_compute_pipeline(layout=whole, compute=compute)


def group(call):
    entries = [
        {
            "binding": one["binding"],
            "resource": {"buffer": things[one["buffer"]], "offset": one["offset"], "size": one["size"] or things[one["buffer"]].size - one["offset"]},
        }
        for one in call["entries"]
    ]
    things[call["id"]] = things["device"].create_bind_group(layout=things[call["layout"]], entries=entries)


def encoder(call):
    things[call["id"]] = things["device"].create_command_encoder()


def clear(call):
    things[call["encoder"]].clear_buffer(things[call["buffer"]])


def copy(call):
    things[call["encoder"]].copy_buffer_to_buffer(
        things[call["from"]], call["fromOffset"], things[call["to"]], call["toOffset"], call["size"]
    )


def begin(call):
    passes[call["id"]] = things[call["encoder"]].begin_compute_pass()


def dispatch(call):
    current = passes[call["pass"]]
    current.set_pipeline(things[call["pipeline"]])
    current.set_bind_group(0, things[call["group"]])
    current.dispatch_workgroups(*call["workgroups"])


def end(call):
    passes.pop(call["pass"]).end()


def submit(call):
    things["device"].queue.submit([things.pop(one).finish() for one in call["encoders"]])


def write(call):
    things["device"].queue.write_buffer(things[call["buffer"]], call["offset"], base64.b64decode(call["data"]))


def read(call):
    source = things[call["buffer"]]
    source.map_sync(wgpu.MapMode.READ, call["offset"], call["size"])
    data = bytes(source.read_mapped(call["offset"], call["size"]))
    source.unmap()
    return {"data": base64.b64encode(data).decode()}


def destroy(call):
    things.pop(call["id"]).destroy()


def wait(call):
    return {}


calls = {
    one.__name__: one
    for one in (
        buffer, shader, group_layout, layout, pipeline, group, encoder, clear, copy, begin, dispatch, end, submit, write, read, destroy, wait,
    )
} | {"open": opened}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = calls[request["call"]](request) or {}
    except Exception as error:  # whatever wgpu says is for the other process to judge
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
