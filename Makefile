# Boathouse: `make up` to look at it, `make test` to change it. Every target installs what it needs.

SHELL := /bin/sh
NODE := $(firstword $(wildcard node_modules/node-linux-*/bin/node node_modules/node-darwin-*/bin/node node_modules/node-bin-darwin-*/bin/node) node)
EXAMPLE ?= examples/sales
# In a fresh clone Node comes with the first target, after NODE was looked for.
export PATH := $(CURDIR)/$(dir $(NODE)):$(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: install build up down status dev test lint format bench conformance soak image up-services docs clean

node_modules/.installed: package.json package-lock.json web/package.json
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@
install: node_modules/.installed

web/dist/.built: node_modules/.installed $(shell find web/src web/index.html web/vite.config.ts src/contract -type f 2>/dev/null)
	npm run --silent build -w web
	@touch $@
dist/built.json: node_modules/.installed tools/build-program.ts $(shell find src -name '*.ts' ! -name '*.test.ts' 2>/dev/null)
	node --disable-warning=ExperimentalWarning tools/build-program.ts
build: web/dist/.built dist/built.json

up: build ## install, build, start everything embedded with the example loaded, print the URL
	./boathouse up -C $(EXAMPLE) --detach --load

down: install ## stop what `make up` started
	./boathouse down -C $(EXAMPLE)

status: install
	./boathouse status -C $(EXAMPLE)

dev: build
	./boathouse dev -C $(EXAMPLE)

test: build ## all tests of the first tier: under 8 minutes, nothing skipped
	@tools/need-services.sh
	npx vitest run

lint: install
	npx tsc -p .
	npx tsc -p web
	npx oxlint --deny-warnings src test tools bench web/src
	npx oxfmt --check src test tools bench web/src
	npx knip

format: install
	npx oxfmt src test tools bench web/src

docs: install ## print the pages that are generated from the code
	@for tool in tools/print-*.ts tools/golden-versions.ts; do node --disable-warning=ExperimentalWarning $$tool; done

bench: build
	bench/main-job/run.sh
	bench/iceberg/run.sh
	bench/wire/run.sh
	bench/sql/run.sh
	bench/dbt/run.sh

conformance: build ## real peers: PyIceberg, dbt, a container engine
	test/conformance/run.sh

soak: build ## the full figures; prints a table for docs/reference/soak.md
	SOAK=1 npx vitest run --config vitest.soak.config.ts

image:
	docker build -t boathouse .

up-services:
	docker compose up -d --build --wait

clean:
	rm -rf web/dist dist node_modules
