"""What the filter costs. Not a test: nothing here passes or fails."""
