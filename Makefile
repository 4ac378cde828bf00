# make            set up .venv and run the built-in sample end to end
# make test       set up and run the tests
# make snapshot   commit all products into DVC: VERSION=tag names it, CONFIG='FILE ...' as --configfile
# make restore    put the products of VERSION=tag back, or of this commit; FORCE=1 loses unsaved ones
# make diff       tell how the versions FROM=tag and TO=tag differ; without TO, the files here
# make bench      measure what the README says that things cost
# make check      the format and style checks of CI
# make clean      remove what runs made (not .venv)

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: sample test snapshot restore diff bench check clean

sample: $(READY)
	snakemake --cores all

test: $(READY) $(VENV)/slurm
	pytest --numprocesses 2 tests/unit tests/golden
# Apart: driven from processes that had torch and decoders loaded, the browser hung in three of three runs.
	pytest --numprocesses 2 tests/pages
	pytest --numprocesses 2 --dist loadfile tests/workflow

snapshot: $(READY)
	python -m trailers12k.versions.snapshots snapshot --version '$(VERSION)' --configfile $(CONFIG)

restore: $(READY)
	python -m trailers12k.versions.snapshots restore '$(VERSION)' $(if $(FORCE),--force)

diff: $(READY)
	@snakemake diff --config 'from=$(FROM)' 'to=$(TO)'

bench: $(READY)
	python tests/bench/planning.py
	python tests/bench/merging.py
	python tests/bench/versions.py
	python tests/bench/acquisition.py
	python tests/bench/features.py
	python tests/bench/sheets.py
	python tests/bench/training.py

check: $(READY)
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile rules
	snakemake --lint

clean:
	rm -rf data build results logs benchmarks .snakemake

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "error: Python 3.11 to 3.13 is needed, this is " + sys.version.split()[0] + "; name one: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint requirements.txt --editable '.[all,dev]'
	touch $@

# Apart, since every start of Snakemake loads what it finds in .venv.
$(VENV)/slurm: $(READY)
	$(VENV)/bin/pip install --quiet --no-deps --target $@ $$(grep slurm requirements.txt)
