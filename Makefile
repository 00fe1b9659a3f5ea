# The front door. Everything is built by Bazel; these targets are the commands worth remembering.
.PHONY: help setup build demo test test-all mutants bench bench-core features sizes

help:
	@echo 'make demo                  a two-minute tour: simulate, catch a planted bug, run a real cell'
	@echo 'make test                  tests, README blocks, two mutants, five builds that must agree on every trace hash'
	@echo 'make test-all              and a build that demands that every include is a declared dependency'
	@echo 'make build                 the optimised binary: bin/bramah'
	@echo 'make mutants [IDS="..."]   plant each bug of testdata/mutants and hunt it; UNIT=1 adds the unit tests'
	@echo 'make bench                 speed of the simulator on testdata/plans/bench.plan'
	@echo 'make bench-core            speed and memory of the core: commands, sessions, nodes, KeepAlives, a cached write'
	@echo 'make features              what of the Chubby paper is built, each row with the tests that show it'
	@echo 'make sizes                 files and functions that deserve a second look'
	@echo 'make setup                 install the Debian packages that are missing (tools/packages.txt)'

setup:
	@tools/setup

build: setup
	@tools/build

demo: build
	@tools/demo

test: setup
	@tools/test

test-all: setup
	@ALL=1 tools/test

mutants: setup
	@tools/mutants $(IDS)

bench: build
	@tools/bench

bench-core: setup
	@tools/bench-core

features:
	@tools/features

sizes:
	@tools/sizes
