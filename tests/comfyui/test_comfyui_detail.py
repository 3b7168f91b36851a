"""Faces re-diffused in ComfyUI with a tiny Stable Diffusion: together, and each as if it were alone."""

import numpy as np
import pytest
from graphs import Graph

SIDE, STEPS = 128, 4
"""Size of the crops and number of steps, both small, as there is no GPU."""
WIDTH, MIDDLE = 290, 150
"""Width of the images, and a column between the faces of the first."""


@pytest.fixture
def graph(comfyui):
    return Graph(comfyui)


@pytest.fixture
def detail(comfyui):
    """Run Detail Faces, with settings for Plan Faces and inputs of its own; return run, images, masks and new runs."""

    def run(images, plan=None, *, prompts=("a face", "blurred"), settings=None, **inputs):
        graph = Graph(comfyui)
        model, clip, vae = graph.tiny()
        image = graph.load(comfyui, *images)
        size = graph.add("FaceFixSamplingSettings", **{"width": SIDE, "height": SIDE, **(settings or {})})
        asked = {"method": "re-diffuse", "guard": "off", **(plan or {})}
        planned = graph.add("FaceFixPlan", image=image, settings=size, **asked)
        texts = {}
        if prompts:
            names = ("positive", "negative")
            texts = {
                name: graph.add("CLIPTextEncode", clip=clip, text=text)
                for name, text in zip(names, prompts, strict=True)
            }
        asked = {"plan": planned, "model": model, "clip": clip, "vae": vae, "steps": STEPS, **texts, **inputs}
        fixed = graph.add("FaceFixDetailFaces", image=image, **asked)
        shown = [graph.add("SaveImage", images=one) for one in (fixed, graph.add("MaskToImage", mask=[fixed, 1]))]
        before = len(comfyui.get("/facefix_test/runs"))
        done = comfyui.run(graph.nodes)
        runs = comfyui.get("/facefix_test/runs")[before:]
        if done.error:
            return done, [], [], runs
        made, masks = ([comfyui.view(one) for one in done.outputs[node]["images"]] for node in shown)
        done.report = done.outputs[fixed]["text"][0]
        return done, made, masks, runs

    return run


def test_all_faces_of_a_batch_are_one_sampling_run_and_nothing_else_changes(detail, pairs):
    run, made, masks, runs = detail(pairs)
    assert run.error is None
    assert [(one["batch"], one["steps"]) for one in runs] == [(8, STEPS)]
    assert run.report.splitlines()[-1] == "8 crops in 1 sampling run"
    for before, after, mask in zip(pairs, made, masks, strict=True):
        changed = (before != after).any(2)
        assert 0.02 < changed.mean() < 0.3
        assert not changed[mask[..., 0] == 0].any()
    assert run.progress[-1][1] == 1
    assert len({share for _, share in run.progress}) >= STEPS  # each step is shown


@pytest.mark.parametrize("sampler", ["euler", "euler_ancestral", "dpmpp_2m_sde", "dpmpp_sde", "ddim", "uni_pc", "lcm"])
def test_each_face_equals_its_single_run(detail, pairs, sampler):
    # visibility 1, and no colours matched, so that the whole difference of the sampling is seen
    asked = {"sampler_name": sampler, "seed": 11}
    _, together, _, runs = detail(pairs[:2], **asked)
    assert [one["batch"] for one in runs] == [4]
    for place, image in enumerate(pairs[:2]):
        for number in (1, 2):
            skip = {"overrides": f"{3 - number}: method=leave"}
            _run, [alone], _, [one] = detail([image], skip, **asked)
            assert one["batch"] == 1
            inside = (alone != image).any(2)
            assert inside.mean() > 0.005
            difference = np.abs(alone.astype(int) - together[place])[inside]
            assert difference.max() <= 1, (place, number)


def test_faces_have_their_own_prompts_by_number_and_by_place(detail, pairs):
    _, plain, _, _ = detail(pairs[:1])
    prompt = "[right] a very old man [SEP] [face:1] [PROMPT], smiling"
    _run, [made], _, runs = detail(pairs[:1], {"prompt": prompt}, prompt="a face")
    assert [one["batch"] for one in runs] == [2]
    left, right = (
        np.abs(made.astype(int) - plain[0])[:, part].max() for part in (slice(0, MIDDLE), slice(MIDDLE, WIDTH))
    )
    assert min(left, right) > 5
    _, [other], _, _ = detail(
        pairs[:1], {"prompt": "[right] a young woman [SEP] [face:1] [PROMPT], smiling"}, prompt="a face"
    )
    assert np.abs(made.astype(int) - other)[:, :MIDDLE].max() == 0  # face 1 has kept its prompt
    assert np.abs(made.astype(int) - other)[:, MIDDLE:].max() > 5


def test_a_face_prompt_can_be_added_to_the_prompt_of_the_node(detail, pairs):
    _, [written], _, _ = detail(pairs[:1], {"prompt": "a face, smiling"}, prompt="a face")
    _, [added], _, runs = detail(pairs[:1], {"prompt": "smiling"}, settings={"prompt_mode": "append"}, prompt="a face")
    assert [one["batch"] for one in runs] == [2]
    assert np.abs(written.astype(int) - added).max() == 0


def test_a_long_prompt_and_a_short_one_share_a_run(detail, pairs):
    long = ", ".join(["a very detailed portrait of a person"] * 20)  # more than one chunk of 77 tokens
    asked = {"prompt": f"[left] {long} [SEP] [others] a face"}
    _, [together], _, runs = detail(pairs[:1], asked)
    assert [one["batch"] for one in runs] == [2]
    _, [alone], _, _ = detail(pairs[:1], {"prompt": "a face", "overrides": "1: method=leave"})
    inside = (alone != pairs[0]).any(2)
    assert np.abs(alone.astype(int) - together)[inside].max() <= 1


def test_the_seed_counts_from_face_to_face_and_is_the_same_in_every_image(detail, pairs):
    twice = [pairs[0], pairs[0]]
    _, [first, second], _, _ = detail(twice, seed=5)
    assert (first == second).all()
    _, [other], _, _ = detail(pairs[:1], seed=6)
    assert (first != other).any()
    _, [large], _, _ = detail(pairs[:1], seed=2**32 + 5)
    assert (large == first).all()


def test_without_conditioning_the_text_of_the_node_is_encoded(detail, pairs):
    _, [given], _, _ = detail(pairs[:1])
    _, [written], _, _ = detail(pairs[:1], prompts=None, prompt="a face", negative_prompt="blurred")
    assert np.abs(given.astype(int) - written).max() == 0


def test_without_a_plan_every_face_is_re_diffused(comfyui, graph, pairs):
    model, clip, vae = graph.tiny()
    asked = {"model": model, "clip": clip, "vae": vae, "steps": 1, "faces_per_run": 1}
    fixed = graph.add("FaceFixDetailFaces", image=graph.load(comfyui, pairs[0]), **asked)
    graph.add("SaveImage", images=fixed)
    report = comfyui.run(graph.nodes).outputs[fixed]["text"][0]
    assert report.startswith("FaceFix: 2 faces: ")
    assert " in 2 sampling runs" in report or "crops in" in report


def test_a_plan_that_decides_by_itself_re_diffuses_small_faces_and_keeps_the_others(detail, pairs):
    run, _, _, runs = detail(pairs[:1], {"method": "auto", "overrides": "2: method=restore"})
    assert [one["batch"] for one in runs] == [1]
    assert "1 re-diffused, 1 restored" in run.report


def test_faces_of_other_settings_have_a_run_of_their_own(detail, pairs):
    _, _, _, runs = detail(pairs[:2], {"overrides": "2: steps=3\n2: denoising_strength=0.6"})
    assert sorted((one["batch"], one["steps"]) for one in runs) == [(2, 3), (2, STEPS)]


def test_a_strength_of_0_changes_nothing(detail, pairs):
    _run, [made], _, runs = detail(pairs[:1], {"denoising_strength": 0.0, "visibility": 0.0})
    assert runs == []
    assert (made == pairs[0]).all()


def test_runs_are_as_large_as_one_wishes(detail, pairs):
    _, _, _, runs = detail(pairs[:2], faces_per_run=3)
    assert [one["batch"] for one in runs] == [3, 1]


def test_a_drifting_face_is_changed_less_in_a_second_run(detail, pairs):
    run, _, _, runs = detail(pairs[:1], {"guard": "back-off", "denoising_strength": 0.9})
    assert len(runs) >= 2
    assert "2 skipped (it would look like another person)" in run.report


@pytest.mark.parametrize(
    ("plan", "inputs", "said"),
    [
        ({"prompt": "a man"}, {"clip": None}, "the positive prompt 'a man' needs CLIP"),
        ({"prompt": "[PROMPT], old"}, {}, "[PROMPT] in a face prompt needs the image's prompt as text"),
        ({"prompt": "old", "overrides": "1: prompt_mode=append"}, {}, "Prompt mode append needs the image's prompt"),
        ({"prompt": "old <lora:ann:0.8>"}, {}, "ComfyUI does not load <lora:ann:0.8> of a prompt"),
        ({"overrides": "1: sampler=eulr\n2: sampler=eulr"}, {}, "Sampling method must be one of euler"),
    ],
    ids=["no CLIP", "no text", "nothing to append to", "a LoRA", "a sampler"],
)
def test_mistakes_are_sentences_on_the_node(detail, pairs, plan, inputs, said):
    run, _, _, _ = detail(pairs[:1], plan, **inputs)
    assert said in run.error["exception_message"]
    assert run.error["node_type"] == "FaceFixDetailFaces"


def test_a_mistake_for_one_face_does_not_stop_the_other(detail, pairs):
    run, _, _, runs = detail(pairs[:1], {"overrides": "1: checkpoint=other"})
    assert "face 1 was not fixed: Checkpoint of a face cannot be 'other' in ComfyUI" in run.report
    assert [one["batch"] for one in runs] == [1]


def test_no_prompt_at_all_is_explained(detail, pairs):
    run, _, _, _ = detail(pairs[:1], prompts=None, clip=None)
    assert "Detail Faces needs the positive prompt" in run.error["exception_message"]


def test_interrupting_ends_the_node_and_the_next_run_works(detail, comfyui, pairs):
    graph = Graph(comfyui)
    model, clip, vae = graph.tiny()
    image = graph.load(comfyui, *pairs)
    size = graph.add("FaceFixSamplingSettings", width=SIDE, height=SIDE)
    plan = graph.add("FaceFixPlan", image=image, method="re-diffuse", guard="off", settings=size)
    fixed = graph.add("FaceFixDetailFaces", image=image, plan=plan, model=model, clip=clip, vae=vae, steps=60)
    graph.add("SaveImage", images=fixed)
    before = len(comfyui.get("/facefix_test/runs"))
    run = comfyui.run(graph.nodes, interrupt_at=0.01)
    assert run.error["node_type"] == "FaceFixDetailFaces"
    assert "exception_message" not in run.error  # interrupted, not failed
    assert len(comfyui.get("/facefix_test/runs")) == before  # the sampling run did not end
    assert detail(pairs[:1])[0].error is None
