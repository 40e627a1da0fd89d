"""Mail that playbooks write: templates with merge values, read in a small, bounded part of Liquid."""
