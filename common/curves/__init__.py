"""Curves from a value to points from 0 to 100: their JSON shapes, how they are drawn, and how a form takes them.

A curve as JSON is one of three:

- a line, ``[[value, points], ...]``: straight between its knots, whose values ascend; outside them the nearest holds;
- bands, ``{"below": points, "steps": [[from_value, points], ...]}``: each holds from its value on, below the first
  ``below`` holds;
- choices, ``{"value": points, ...}``: for a choice, or for a yes-or-no (``true``, ``false``).

A form takes one with ``fields.CurveField``; pages show one with ``{% curve %}`` (as small as a word) or
``components/curve_plot.html``, and a distribution with ``components/histogram.html``. ``assets/js/curve/`` computes the
same drawing in the browser: a change to one is a change to both, and ``tests/ui/test_curves.py`` compares them.
"""
