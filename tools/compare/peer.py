"""The other side of a comparison: runs one thing in PyTorch or onnxruntime, again and again, and says how long it took.

`peer.py KIND name=value ...`; writes `ready VERSION`, then for every line read one line: the seconds of one run. Kinds:

- train: a training step of a GPT-2-style transformer in f32 with AdamW. threads, vocabulary, context, layers, heads, width, batch
- infer: its forward pass, logits of every position, in torch. The same settings
- encode: an encoder's forward pass, mean over positions, in torch. The same settings
- infer-onnx, encode-onnx: the same two exported to ONNX and run by onnxruntime; int8=1 quantises the linear layers
- int8: the product of two n x n int8 matrices into int32 (MatMulInteger) in onnxruntime. threads, n
"""
import sys
import time


def settings(words):
    return {name: int(value) for name, value in (word.split("=") for word in words)}


def main():
    kind, at = sys.argv[1], settings(sys.argv[2:])
    if kind in ("train", "infer", "encode"):
        import net
        version, run = net.torch_run(kind, at)
    else:
        import ort
        version, run = ort.onnx_run(kind, at)
    run()
    print("ready", version, flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        run()
        print(time.perf_counter() - begin, flush=True)


main()
