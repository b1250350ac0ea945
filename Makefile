# Two commands matter: `make demo` and `make test`. Each sets up all that it needs.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
BIN := $(VENV)/bin
export PYTHONUNBUFFERED := 1

.PHONY: help demo serve test test-fast lint setup pyiqa
.DEFAULT_GOAL := help

help:
	@echo "make demo       the whole product on small real clips, then the server (Ctrl-C stops it); PORT=8001 for another port"
	@echo "make serve      the server alone, over what is in var/"
	@echo "make test       every test"
	@echo "make test-fast  the tests that take less than a minute together"
	@echo "make lint       style checks"
	@echo "make pyiqa      the metrics of pyiqa (noncommercial licence), without its training-time dependencies"

demo: $(VENV)/.pyiqa
	$(BIN)/python manage.py demo --port $(PORT)

serve: $(VENV)/.core
	$(BIN)/python manage.py serve --port $(PORT)

# A browser beside other tests would measure their load: it comes after them. Two beside each other leave both in step.
test: $(VENV)/.dev
	./scripts/install_test_services.sh
	$(BIN)/python -m pytest --ignore=tests/browser -n 2 --dist worksteal
	$(BIN)/python -m pytest tests/browser -n 2 --dist loadscope

test-fast: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

setup: $(VENV)/.pyiqa

pyiqa: $(VENV)/.pyiqa

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check

$(VENV)/.core: requirements.txt | $(BIN)/python
	$(PIP) -r requirements.txt
	touch $@

# pyiqa's own requirements include its training stack (a second OpenCV, language
# models); what it imports to score stands in requirements-pyiqa.txt, and the
# packages themselves are installed without dependencies.
$(VENV)/.pyiqa: requirements-pyiqa.txt requirements-nodeps.txt $(VENV)/.core
	$(PIP) -r requirements.txt -r requirements-pyiqa.txt
	$(PIP) --no-deps -r requirements-nodeps.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.pyiqa
	$(PIP) -r requirements-dev.txt
	touch $@
