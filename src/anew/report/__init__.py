"""Show what a restoration did: a page with a before/after slider, and a sheet as one picture."""

from anew.report.page import write_report
from anew.report.sheet import write_sheet

__all__ = ["write_report", "write_sheet"]
