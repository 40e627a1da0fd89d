"""The demo company: invented customers with a year of history, made anew for the day it is loaded on."""

DEMO_PASSWORD = "customer-success"  # noqa: S105  # printed on the screen for everybody
