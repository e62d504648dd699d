# The front door: what there is to do, by name. The build itself is CMake's
# (CMakeLists.txt), and each longer recipe is a script in tools/.

SCRIPT ?= scripts/notes.lua
PRESET ?= release
NEAP = build/release/neap

.PHONY: help run test build bench demo check docs format clean

help: ## what you are reading
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

run: build ## serve scripts/notes.lua, live; or SCRIPT=scripts/echo.lua ARGS="..."
	@exec $(NEAP) --watch $(SCRIPT) $(ARGS)

test: ## C tests and specs; SPEC=spec/host for a part, PRESET=asan for a build
	@tools/setup build test
	@tools/build $(PRESET)
	@tools/test $(PRESET) $(SPEC)

build: ## build/release/neap
	@tools/setup build
	@tools/build release

bench: build ## measure, beside the peers that are installed
	@bench/run $(ARGS)

demo: build ## docs/images/reload.svg, from a real run
	@$(NEAP) tools/demo.lua

check: ## floors, stubs, reference, luacheck, format
	@tools/setup build check
	@tools/build release
	@tools/check

docs: build ## write docs/reference.md from types/
	@$(NEAP) tools/reference.lua

format: ## bring the C files into form
	@tools/setup check
	@tools/format

clean: ## remove what was built
	rm -rf build
