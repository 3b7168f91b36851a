"""Write what the built-in models say of the photos in examples/, found without FaceFix and without OpenCV.

    pip install ai-edge-litert onnxruntime onnx pillow numpy
    python tests/adapters/golden/make_golden.py

The .tflite files run on LiteRT, the .onnx files on ONNX Runtime. Around them is what their makers publish: the graphs
of MediaPipe (face_detection_full_range, face_landmark_front, selfie_segmentation), CenterFace's centerface.py, and the
mean face of dlib's get_face_chip_details. One thing differs on purpose: MediaPipe samples a reduced picture without
averaging, which moves boxes by a pixel; here pictures are averaged down (Pillow), as FaceFix does.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
ASSETS = REPOSITORY / "lib_facefix" / "assets"
PHOTOS = ("astronaut", "group")

WINDOWS = {  # of the picture, as left, top, right, bottom: BlazeFace looks at each, small faces are seen in the tiles
    "astronaut": [(0, 0, 512, 512), (0, 0, 308, 308), (204, 0, 512, 308), (0, 204, 308, 512), (204, 204, 512, 512)],
    "group": [(0, 0, 720, 524), (0, 0, 432, 432), (288, 0, 720, 432), (0, 92, 432, 524), (288, 92, 720, 524)],
}
SURE_OF_ALL, SURE_OF_TILE = 0.5, 0.6
SAME_FACE = 0.3  # intersection over union: min_suppression_threshold of MediaPipe's graph, and CenterFace's
MESH_ROI = 1.5  # scale_x and scale_y of MediaPipe's face_detection_front_detection_to_roi
MESH_POINTS = [1, 4, 10, 33, 61, 70, 105, 133, 152, 159, 168, 205, 234, 263, 291, 300, 362, 386, 425, 454]
PEOPLE = {"astronaut": [(0, 0, 512, 512), (90, 20, 370, 400)], "group": [(260, 20, 400, 200)]}  # crops
LITE_CROP = {"astronaut": (0, 0, 512, 512), "group": (208, 12, 720, 524)}
LITE_HEADS = ("faithful", "vivid")
LITE_PIXELS = [(x, y) for y in (64, 130, 200, 330, 450) for x in (60, 215, 230, 300, 420)]
GRID = 8
DLIB_EYES = np.array(
    [
        [(0.1205750620789, 0.2137274526848), (0.3340850613712, 0.2290642403242)],
        [(0.6460604764104, 0.2289674387677), (0.8595674595992, 0.2134981538014)],
    ]
)
"""Corners of both eyes in dlib's mean face, as get_face_chip_details has them."""
DLIB_PADDING, DLIB_CHIP = 0.25, 150
FFHQ = np.array(
    [
        (192.98138, 239.94708),
        (318.90277, 240.19360),
        (256.63416, 314.01935),
        (201.26117, 371.41043),
        (313.08905, 371.15118),
    ]
)
"""facexlib's template for 512 px: eyes, nose, corners of the mouth."""


def photo(name):
    with Image.open(REPOSITORY / "examples" / f"{name}.jpg") as picture:
        return picture.convert("RGB")


def lite_rt(name):
    """Return a function from an input (1, h, w, 3) to all outputs, the largest last."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(ASSETS / name))
    interpreter.allocate_tensors()
    [taken], given = interpreter.get_input_details(), interpreter.get_output_details()

    def run(blob):
        interpreter.set_tensor(taken["index"], np.asarray(blob, np.float32))
        interpreter.invoke()
        return sorted((interpreter.get_tensor(each["index"]) for each in given), key=np.size)

    return run


def onnx_runtime(name):
    """Return a function from an input (1, 3, h, w), of whatever size, to all outputs."""
    import onnx
    import onnxruntime

    model = onnx.load(ASSETS / name)
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    for value in (*model.graph.input, *model.graph.output):
        for i, side in enumerate(value.type.tensor_type.shape.dim):
            side.dim_param = f"{value.name}_{i}"
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda blob: session.run(None, {inputs[0].name: np.asarray(blob, np.float32)})


def resized(picture, size):
    """Return the picture of another size as (h, w, 3) floats: averaged down, interpolated up."""
    if size[0] >= picture.width:
        return np.asarray(picture.resize(size, Image.BILINEAR), np.float32)
    pixels = np.asarray(picture, np.float64)
    columns, rows = (averaging(before, after) for before, after in zip(picture.size, size, strict=True))
    return np.einsum("yh,hwc,xw->yxc", rows, pixels, columns, optimize=True).astype(np.float32)


def averaging(before, after):
    """Return (after, before): how much of each old pixel is in each new one."""
    edges = np.arange(after + 1) * before / after
    old = np.arange(before)
    shared = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    return np.clip(shared, 0, None) * after / before


def warped(picture, back, side, finer=8):
    """Return the square that `back` (2, 3) maps to the picture: sampled finely, averaged down; edges repeat."""
    border = 400
    padded = Image.fromarray(np.pad(np.asarray(picture), ((border, border), (border, border), (0, 0)), mode="edge"))
    step = back / [finer, finer, 1] + [[0, 0, border], [0, 0, border]]
    fine = padded.transform((side * finer,) * 2, Image.AFFINE, step.ravel().tolist(), Image.BICUBIC)
    return np.asarray(fine.reduce(finer), np.float32)


def suppressed(found):
    """Return (score, box, points) of each face, best first."""
    kept = []
    for one in sorted(found, key=lambda each: -each[0]):
        if all(overlap(one[1], other[1]) <= SAME_FACE for other in kept):
            kept.append(one)
    return kept


def overlap(one, other):
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = np.prod(np.clip(high - low, 0, None))
    return shared / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - shared)


def blazeface(picture, windows):
    """Return the faces as MediaPipe decodes them: TensorsToDetections, 48 x 48 anchors of fixed size, scale 192."""
    run, found = lite_rt("face_detection_full_range.tflite"), []
    for i, (left, top, right, bottom) in enumerate(windows):
        width, height = right - left, bottom - top
        share = 192 / max(width, height)
        inner = round(width * share), round(height * share)
        pad = (192 - inner[0]) // 2, (192 - inner[1]) // 2
        square = np.zeros((192, 192, 3), np.float32)
        small = resized(picture.crop((left, top, right, bottom)), inner)
        square[pad[1] : pad[1] + inner[1], pad[0] : pad[0] + inner[0]] = small / 127.5 - 1
        logits, raw = run(square[None])
        for anchor, (logit, row) in enumerate(zip(logits.ravel(), raw.reshape(-1, 16), strict=True)):
            score = 1 / (1 + np.exp(-np.clip(float(logit), -100, 100)))
            if score < (SURE_OF_TILE if i else SURE_OF_ALL):
                continue
            origin = (anchor % 48 + 0.5) / 48, (anchor // 48 + 0.5) / 48
            x, y = row[0] / 192 + origin[0], row[1] / 192 + origin[1]
            w, h = row[2] / 192, row[3] / 192
            keys = row[4:].reshape(6, 2) / 192 + origin
            spots = np.array([(x - w / 2, y - h / 2), (x + w / 2, y + h / 2), *keys])
            spots = (spots * 192 - pad) / (inner[0] / width, inner[1] / height) + (left, top)
            if not touches_inner_edge(spots[:2].ravel(), windows[i], picture.size):
                found.append((score, spots[:2].ravel(), spots[2:]))
    return suppressed(found)


def touches_inner_edge(box, window, size):
    """Return whether a tile's edge cuts the face, within 3 px, where the picture goes on."""
    inner = window[0] > 0, window[1] > 0, window[2] < size[0], window[3] < size[1]
    near = (*(box[:2] < np.add(window[:2], 3)), *(box[2:] > np.subtract(window[2:], 3)))
    return any(a and b for a, b in zip(inner, near, strict=True))


def centerface(picture):
    """Return the faces as CenterFace's own centerface.py decodes them; pictures of less than 640 px are enlarged."""
    share = max(1, 640 / max(picture.size))
    size = [-(-round(side * share) // 32) * 32 for side in picture.size]
    factor = min(size[0] / picture.width, size[1] / picture.height)
    inner = round(picture.width * factor), round(picture.height * factor)
    blob = np.zeros((size[1], size[0], 3), np.float32)
    blob[: inner[1], : inner[0]] = resized(picture, inner)
    heat, scale, offset, marks = onnx_runtime("centerface.onnx")(blob.transpose(2, 0, 1)[None])
    found = []
    for row, column in zip(*np.nonzero(heat[0, 0] > SURE_OF_ALL), strict=True):
        h, w = np.exp(scale[0, :, row, column]) * 4
        o0, o1 = offset[0, :, row, column]
        x1, y1 = (column + o1 + 0.5) * 4 - w / 2, (row + o0 + 0.5) * 4 - h / 2
        points = [(marks[0, j * 2 + 1, row, column] * w + x1, marks[0, j * 2, row, column] * h + y1) for j in range(5)]
        ratio = np.divide(inner, picture.size)
        box = np.array([(x1, y1), (x1 + w, y1 + h)]) / ratio
        found.append((float(heat[0, 0, row, column]), box.ravel(), np.array(points) / ratio))
    return suppressed(found)


def facemesh(picture, box, eyes):
    """Return score, (468, 3) points and the head's tilt in degrees, by MediaPipe's face_landmark_front."""
    turn = np.arctan2(eyes[1][1] - eyes[0][1], eyes[1][0] - eyes[0][0])
    side = max(box[2] - box[0], box[3] - box[1]) * MESH_ROI
    axes = np.array([(np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))]) * side / 192
    centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    back = np.column_stack([axes, centre - axes @ (96, 96)])
    score, points = lite_rt("face_landmark.tflite")(warped(picture, back, 192)[None] / 255)
    spots = points.reshape(468, 3)
    placed = np.column_stack([spots[:, :2] @ axes.T + back[:, 2], spots[:, 2] * side / 192])
    return 1 / (1 + np.exp(-float(score.ravel()[0]))), placed, np.degrees(turn)


def pose(mesh):
    """Return yaw, pitch, roll in degrees: where the plane through cheeks, forehead and chin looks, turned up by 4."""
    right, down = mesh[454] - mesh[234], mesh[152] - mesh[10]
    roll = np.arctan2(right[1], right[0])
    out = np.cross(down, right)
    flat = (out[0] + 1j * out[1]) * np.exp(-1j * roll)
    yaw, pitch = np.arctan2(flat.real, -out[2]), np.arctan2(-flat.imag, np.hypot(flat.real, out[2]))
    return np.add(np.degrees([yaw, pitch, roll]), (0, 4, 0))


def people(picture, corners):
    """Return the crop, and which share of each of its 8 x 8 cells shows a person."""
    crop = picture.crop(corners)
    seen = resized(crop, (256, 256)) / 255
    scores = lite_rt("selfie_segmentation.tflite")(seen[None])[-1].reshape(256, 256)
    sure = np.asarray(Image.fromarray(scores).resize(crop.size, Image.BILINEAR)) >= 0.5
    rows = np.array_split(sure, GRID, 0)
    return {"crop": corners, "share": [[cell.mean() for cell in np.array_split(row, GRID, 1)] for row in rows]}


def dlib_chip(points):
    """Return the map (2, 3) from a chip to the picture: the FFHQ template put where dlib has its eyes, then fitted."""
    eyes = (DLIB_EYES.mean(1) + DLIB_PADDING) / (1 + 2 * DLIB_PADDING) * DLIB_CHIP
    template = moved(FFHQ, similarity(FFHQ[:2], eyes))
    return similarity(template, points)


def similarity(source, target):
    """Return the (2, 3) map of least squares with one scale and a rotation."""
    x, y = source.T
    one, zero = np.ones_like(x), np.zeros_like(x)
    rows = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    a, b, dx, dy = np.linalg.lstsq(rows, target.T.ravel(), rcond=None)[0]
    return np.array([(a, -b, dx), (b, a, dy)])


def moved(points, matrix):
    return points @ matrix[:, :2].T + matrix[:, 2]


def residuals(picture, corners):
    """Return what each head of the built-in restorer adds to some pixels of a crop made coarse, in steps of 255."""
    crop = np.asarray(picture.crop(corners), np.float32)[::2, ::2].repeat(2, 0).repeat(2, 1) / 255
    heads = onnx_runtime("lite.onnx")(crop.transpose(2, 0, 1)[None])
    added = {name: [one[0, :, y, x] * 255 for x, y in LITE_PIXELS] for name, one in zip(LITE_HEADS, heads, strict=True)}
    return {"crop": corners, "pixels": LITE_PIXELS, **added}


def write(name, content):
    text = json.dumps(rounded(content), indent=None, separators=(",", ":"))
    (HERE / f"{name}.json").write_text(text.replace("},{", "},\n{").replace('],"', '],\n"') + "\n")


def rounded(content):
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    if isinstance(content, list | tuple | np.ndarray):
        return [rounded(value) for value in content]
    return content if isinstance(content, str | int) else round(float(content), 4)


def main():
    pictures = {name: photo(name) for name in PHOTOS}
    blaze = {name: blazeface(picture, WINDOWS[name]) for name, picture in pictures.items()}
    center = {name: centerface(picture) for name, picture in pictures.items()}
    for name, faces in (("blazeface", blaze), ("centerface", center)):
        write(name, {photo: [named(*one) for one in found] for photo, found in faces.items()})
    write("facemesh", {name: meshes(pictures[name], found) for name, found in blaze.items()})
    write("person", {name: [people(pictures[name], crop) for crop in crops] for name, crops in PEOPLE.items()})
    write("identity", {name: embeddings(pictures[name], found) for name, found in center.items()})
    write("lite", {name: residuals(pictures[name], crop) for name, crop in LITE_CROP.items()})


def named(score, box, points):
    return {"score": score, "box": box, "points": points}


def meshes(picture, found):
    answer = []
    for _, box, points in found:
        score, mesh, tilt = facemesh(picture, box, points[:2])
        chosen = [[index, *mesh[index]] for index in MESH_POINTS]
        answer.append({"box": box, "tilt": tilt, "score": score, "pose": pose(mesh), "points": chosen})
    return answer


def embeddings(picture, found):
    run, answer = onnx_runtime("identity.onnx"), []
    for _, _, five in found:
        chip = warped(picture, dlib_chip(five), DLIB_CHIP)
        [place] = run(chip.transpose(2, 0, 1)[None] / 255)
        answer.append({"landmarks": five, "components": place.ravel()[:24]})
    return answer


if __name__ == "__main__":
    main()
