# Two commands do all set-up: `make run` fixes a photo, `make test` passes the tests.
PYTHON ?= python3
PHOTO ?= examples/group.jpg
OUT ?= build/run
BIN := .venv/bin
# For the tests: PyTorch without torchvision, which is large and of which spandrel wants two names
# (tests/torchvision_stub has them); ncnn and facexlib as references of converted weights and of face parsers.
TORCH ?= torch==2.13.0
NETS := spandrel==0.4.2 spandrel_extra_arches==0.2.0 ncnn facexlib==0.3.0

# The JavaScript that browsers get, and what checks it where node is: TypeScript reads its JSDoc, nothing is built.
PAGE := lib_facefix/server/page
JS := $(PAGE)/*.js javascript/*.js lib_facefix/webui/page/*.js lib_facefix/comfyui/web/*.js
NODE_BIN := tests/page/node_modules/.bin
TSC := --noEmit --checkJs --strict --target es2023 --lib es2023,dom,dom.iterable --module esnext --moduleResolution bundler

# What `make test-pythons` runs the unit tests on, and `make dist` the wheel: those of these that are on this machine.
PYTHONS ?= 3.10 3.13
define FIND_PYTHON
python=; \
for one in $$HOME/.pyenv/versions/$$version.*/bin/python python$$version; do \
	"$$one" -c 'import sys, venv; sys.exit("%d.%d" % sys.version_info[:2] != "'$$version'")' 2>/dev/null && python=$$one; \
done
endef
LEAN := pytest pytest-xdist hypothesis onnx onnxruntime httpx2 einops typing-extensions

# What `make test-optional` installs, a lane each in an environment of its own; LANES="mediapipe-0.10.33" runs one.
LANES ?= centerface mediapipe-0.10.21 mediapipe-0.10.33 insightface ultralytics ray
LANE_NEEDS := pytest hypothesis
LANE_centerface := onnxruntime onnx
LANE_mediapipe-0.10.21 := mediapipe==0.10.21
LANE_mediapipe-0.10.33 := mediapipe==0.10.33
LANE_insightface := insightface==2.1 onnxruntime onnx
LANE_ray := ray[data]==2.60.0 s3fs moto[server,s3]
LANE_ultralytics := torch==2.14.1 torchvision==0.29.1 ultralytics onnx onnxslim onnxruntime

# What `make bench` compares with. facexlib asks for a second OpenCV, so what else it needs is named here.
PEERS := .venv-bench/bin
PAIR := torch==2.14.1 torchvision==0.29.1
COMPARED := spandrel==0.4.2 spandrel_extra_arches==0.2.0 matplotlib numba filterpy scipy

.PHONY: run test test-pythons test-optional lint lint-js figures docs dist try-wheel hooks bench clean

run: .venv/run.done
	@mkdir -p $(OUT)
	@$(BIN)/python -m lib_facefix.cli fix "$(PHOTO)" -o $(OUT)/ --compare $(OUT)/before-after.png --report $(OUT)/report.json
	@echo "result:           $(OUT)/$(notdir $(PHOTO))"
	@echo "before and after: $(OUT)/before-after.png"
	@echo "report:           $(OUT)/report.json"

test: .venv/test.done
	$(BIN)/python -m pytest

# With what FaceFix itself needs, and neither PyTorch nor OpenVINO, which do not come for every Python. A process a core.
test-pythons:
	@for version in $(PYTHONS); do $(FIND_PYTHON); \
		if [ -z "$$python" ]; then echo "== skipped: Python $$version is not here"; continue; fi; \
		echo "== Python $$version ($$python)"; \
		$(MAKE) --no-print-directory PYTHON="$$python" .venv-$$version/done && \
		.venv-$$version/bin/python -m pytest --numprocesses auto --dist loadfile tests/unit || exit 1; done

.venv-3.%/done: pyproject.toml
	$(PYTHON) -m venv .venv-3.$*
	.venv-3.$*/bin/python -m pip install --quiet --upgrade pip
	.venv-3.$*/bin/python -m pip install --quiet $(LEAN)
	.venv-3.$*/bin/python -m pip install --quiet --editable '.[serve]'
	@touch $@

# The optional packages themselves; of ultralytics that is an environment of 6 GB.
test-optional: $(LANES:%=.venv-optional/%/done)
	@for lane in $(LANES); do \
		echo "== $$lane" && FACEFIX_WATCHED_SECONDS=60 \
		.venv-optional/$$lane/bin/python -m pytest tests/optional/$${lane%%-*} || exit 1; done

.venv-optional/%/done: pyproject.toml
	$(PYTHON) -m venv .venv-optional/$*
	.venv-optional/$*/bin/python -m pip install --quiet --upgrade pip
	.venv-optional/$*/bin/python -m pip install --quiet $(LANE_$*) $(LANE_NEEDS) --editable .
	@touch $@

lint: .venv/test.done lint-js
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy training

lint-js:
	@if command -v npm >/dev/null; \
	then $(MAKE) --no-print-directory $(NODE_BIN)/done && $(NODE_BIN)/tsc $(TSC) tests/page/webui.d.ts $(JS) && \
		$(NODE_BIN)/eslint --config tests/page/eslint.config.js $(JS) && echo "JavaScript: all checks passed"; \
	else echo "== skipped: the JavaScript is not checked, as node is not here"; fi

$(NODE_BIN)/done: tests/page/package-lock.json
	@npm ci --prefix tests/page --silent --ignore-scripts --no-audit --no-fund
	@touch $@

# The pictures of README and docs, drawn by the program itself.
figures: .venv/run.done
	PYTHONPATH=. $(BIN)/python docs/figures/people.py
	PYTHONPATH=. $(BIN)/python docs/figures/coordinates.py
	PYTHONPATH=. $(BIN)/python docs/figures/masks.py

# The web site of docs/, with the API reference, in build/site.
docs: .venv-docs/done
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --quiet --strict

# Wheel and sdist in build/dist, checked, and tried.
dist: .venv-dist/done
	@rm -rf build/dist
	.venv-dist/bin/pyproject-build --outdir build/dist
	.venv-dist/bin/twine check --strict build/dist/*
	.venv-dist/bin/cffconvert --validate
	@$(MAKE) --no-print-directory try-wheel
	@echo "built and tried: $$(echo build/dist/*)"

# The wheel in build/dist, in a new environment and an empty folder for each Python, without a network.
try-wheel:
	@for version in $(PYTHONS); do $(FIND_PYTHON); \
		if [ -z "$$python" ]; then echo "== skipped: Python $$version is not here"; continue; fi; \
		away=$$(mktemp -d); cp build/dist/*.whl examples/group.jpg tests/try_wheel.py "$$away"; \
		(set -e; cd "$$away"; "$$python" -m venv venv; mkdir empty; \
		venv/bin/python -m pip install --quiet "$$(echo "$$PWD"/*.whl)[serve]"; \
		cd empty; ../venv/bin/facefix --version; ../venv/bin/python ../try_wheel.py ../*.whl ../group.jpg); \
		code=$$?; rm -rf "$$away"; [ $$code = 0 ] || exit $$code; done

.venv-docs/done .venv-dist/done: .venv-%/done: pyproject.toml
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --upgrade pip
	.venv-$*/bin/python -m pip install --quiet --group $* $(if $(filter docs,$*),--editable .)
	@touch $@

# Git hooks that check each commit.
hooks: .venv/test.done
	$(BIN)/python -m pip install --quiet --group hooks
	$(BIN)/pre-commit install

# Against the peers' own packages, in an environment of 6 GB; BENCH=--quick takes a few minutes instead of thirty.
bench: .venv-bench/done
	$(PEERS)/python -m benchmarks $(BENCH)

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "FaceFix needs Python 3.10 or newer; try make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/run.done: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/test.done: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	$(BIN)/python -m pip install --quiet --no-deps $(NETS)
	@touch $@ .venv/run.done

.venv-bench/done: pyproject.toml
	$(PYTHON) -m venv .venv-bench
	$(PEERS)/python -m pip install --quiet --upgrade pip
	$(PEERS)/python -m pip install --quiet $(PAIR)
	$(PEERS)/python -m pip install --quiet --editable '.[onnxruntime,openvino,upscalers]' $(COMPARED)
	$(PEERS)/python -m pip install --quiet --no-deps facexlib==0.3.0
	@touch $@

clean:
	rm -rf .venv .venv-3.* .venv-docs .venv-dist .venv-bench .venv-optional tests/page/node_modules build
