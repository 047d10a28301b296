.PHONY: setup test demo bench lint fix

setup:
	python3 dev.py setup

test:
	python3 dev.py test

demo:
	python3 dev.py demo

bench:
	python3 dev.py bench

lint:
	python3 dev.py lint

fix:
	python3 dev.py fix
