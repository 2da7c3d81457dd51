"""How a run is shown: tables, pictures and the page."""
