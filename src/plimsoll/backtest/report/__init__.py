"""What a backtest found, shown: text for a terminal, one HTML page for a browser.

In: ``Results``. Out: ``page(results)``, a whole document that asks nothing of any other place, and
``summary(results, width)`` of ``report.text``, imported from there because it needs rich. JSON is
``results.encoded``.
"""

from plimsoll.backtest.report.page import page

__all__ = ["page"]
