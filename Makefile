# make            set up .venv and run the built-in sample end to end
# make test       set up and run the tests
# make snapshot   commit all products into DVC: VERSION=tag names it; ALLOW_DIRTY=1 with uncommitted code
# make restore    put the products of VERSION=tag back, or of this commit; FORCE=1 loses unsaved ones
# make diff       print what changed from FROM=tag to TO=tag; without TO, to the files here
# make bench      measure what the documentation and `trailers12k estimate` quote: one to two hours
# make sound      show on a larger sample that sound says what pictures do not, and measure by how much: ten minutes
# make coverage   count how often intervals hold the truth, in simulations, and measure what they cost: half an hour
# make encoders  compare thirty encoders of timm and nine of torchvision with the forward pass of their libraries: five minutes
# make modern     run all rows of presets/modern.yaml to the end, with random weights and small pictures: a quarter of an hour
# make fuzz       hand many more random inputs to every reader of foreign data than the tests do
# make reliability  measure the hostile inputs of the tests for docs/reliability.md
# make damage     damage each kind of file of a finished sample in nine ways, and run it again: an hour
# make cluster    run on a real Slurm that is away for a time, and with the settings of a site: a quarter of an hour
# make faults     kill runs, fill the disk and disturb them otherwise, and count what was lost: half an hour
# make publish-kills  interrupt an upload to a server on loopback at each moment, and count files that are missing or doubled: some minutes
# make twins      start three jobs of each shard and of a training at once, with many delays: half an hour
# make versions  go between a dozen versions, kill snapshots and restores, and compare every byte: half an hour
# make publish-roundtrip  run the published sample again from its publication, and compare the table: some minutes
# make publish-bench  measure what publishing costs, with 1,000 made-up movies: ten minutes
# make mutants    change the code in 200 small ways and list the changes that no unit test notices
# make check      all checks but the tests: format, style, types, weaknesses, imports, dependencies, generated files
# make lock       derive lock.txt from requirements.txt; what needs no change stays (UPGRADE=1: all new)
# make envs       generate envs/*.yaml from requirements.txt
# make docs       build the documentation site into site/, without the network
# make docs-figures  make the pictures and outputs that README.md and docs/ show, from the finished sample
# make settings   generate the schema of the configuration, presets/ and the reference pages of docs/
# make clean      remove what runs made (not .venv)

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: sample test snapshot restore diff bench sound encoders modern coverage fuzz reliability damage faults twins versions cluster mutants publish-bench publish-kills publish-roundtrip check docs docs-figures lock envs settings clean

sample: $(READY)
	trailers12k run

test: $(READY) $(VENV)/slurm $(VENV)/tools
	pytest --numprocesses 2 tests/unit tests/golden tests/cases tests/hostile tests/docs
# Apart: driven from processes that had torch and decoders loaded, the browser hung in three of three runs.
	pytest --numprocesses 2 tests/pages
# A third process uses the cores while others wait for Slurm, servers and signals.
	pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder tests/workflow

snapshot: $(READY)
	trailers12k snapshot --version '$(VERSION)' $(if $(ALLOW_DIRTY),--allow-dirty)

restore: $(READY)
	trailers12k restore '$(VERSION)' $(if $(FORCE),--force)

diff: $(READY)
	@trailers12k diff '$(FROM)' '$(TO)'

bench: $(READY)
	python tests/bench/planning.py
	python tests/bench/cluster.py
	python tests/bench/merging.py
	python tests/bench/versions.py
	python tests/bench/acquisition.py
	python tests/bench/features.py
	python tests/bench/sound.py
	python tests/bench/sound_models.py
	python tests/bench/sheets.py
	python tests/bench/training.py
	python tests/bench/splits.py
	python tests/bench/baselines.py
# Version 0.1.0 had no tag.
	python tests/bench/sample.py --against 10a41d3
	python tests/bench/unchanged.py
# These read the figures of the others.
	python tests/bench/estimate.py
	python tests/bench/modern.py
	python tests/bench/scale.py

sound: $(READY)
	python tests/bench/sound_runs.py

coverage: $(READY)
	OMP_NUM_THREADS=1 python tests/bench/coverage.py

encoders: $(READY)
	python tests/bench/encoders.py

modern: $(READY)
	PYTHONPATH=tests python -m workflow.modern

fuzz: $(READY)
	FUZZ=50 pytest --numprocesses 2 tests/hostile -k fuzz

reliability: $(READY)
	pytest tests/hostile -k hostile_input --keep
	python docs/generate.py

damage: $(READY)
	PYTHONPATH=tests python -m workflow.damage
	python docs/generate.py

faults: $(READY)
	PYTHONPATH=tests python -m workflow.faults
	python docs/generate.py

cluster: $(READY) $(VENV)/slurm
	CLUSTER=1 pytest --numprocesses 2 tests/workflow -k slurm

publish-kills: $(READY)
	KILLS=1 pytest -s tests/unit/publish/test_zenodo_kills.py

twins: $(READY)
	PYTHONPATH=tests python -m workflow.twins

versions: $(READY)
	PYTHONPATH=tests python -m workflow.versions
	PYTHONPATH=tests python -m workflow.merges

# Two hours at most on idle cores; --count, --hours and --survivors as in the file.
mutants: $(READY)
	nice -n 19 python tests/bench/mutants.py

publish-roundtrip: sample
	python tests/bench/roundtrip.py

publish-bench: $(READY)
	python tests/bench/publishing.py

check: $(READY)
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile rules
	snakemake --lint
	lint-imports
	mypy
	bandit --quiet --configfile pyproject.toml --recursive trailers12k snakemake_logger_plugin_trailers12k \
		scripts docs envs
	deptry trailers12k snakemake_logger_plugin_trailers12k scripts
# What tests import may be a tool, and a tool may have no import.
	deptry $(wildcard tests/*/) --exclude '\.venv' --ignore DEP002,DEP004
	python envs/generate.py --check

# The variable silences the theme's note about its successor.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 mkdocs build --quiet --strict

# After `make`; needs Chromium.
docs-figures: $(READY)
	python tests/docs/figures.py

# One version a package serves all of Python 3.11 to 3.13; were that to change, uv's markers would be needed.
lock: $(READY)
	uv pip compile --quiet --universal --python-version 3.11 --constraint requirements.txt \
		--extra all --extra hf --extra slurm --extra s3 --extra dev --no-annotate --no-header \
		$(if $(UPGRADE),--upgrade) --output-file lock.txt pyproject.toml
	sed -i 's/ *;.*//' lock.txt

envs: $(READY)
	python envs/generate.py

settings: $(READY)
	python -m trailers12k.settings.schema
	python -m trailers12k.settings.presets
	python docs/generate.py

clean:
	rm -rf data build results logs benchmarks publication site .snakemake

# Before anything is installed, and without a shell's reading of the path: jobs are commands with Python's
# path, which Snakemake does not quote. trailers12k/workflow/clone.py has the same characters.
$(READY): lock.txt pyproject.toml
	@$(PYTHON) -c 'import os, re, sys; path = os.getcwd(); fault = re.search(r"[\x00-\x20!-$$&-*:;<>?\[-^`{|}\x7f]", path); sys.exit(fault and "error: the path of this folder, " + ascii(path) + ", has " + ascii(fault[0]) + ", with which no job can run; move the folder to a path with only letters, digits and - _ . , + = @ % ~")'
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "error: Python 3.11 to 3.13 is needed, this is " + sys.version.split()[0] + "; name one: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint lock.txt --editable '.[all,dev]'
	touch $@

# Apart, since every start of Snakemake loads what it finds in .venv.
$(VENV)/slurm: $(READY)
	$(VENV)/bin/pip install --quiet --no-deps --target $@ $$(grep slurm lock.txt)

# Apart for the reasons that requirements.txt gives.
$(VENV)/tools: $(READY) requirements.txt
	rm -rf $@ $@.partial
	$(VENV)/bin/pip install --quiet --no-deps --target $@.partial $$(sed -n 's/^#tools //p' requirements.txt)
	mv $@.partial $@
	touch $@
