"""The figures of a report: what they are made from, which samples they show, and what each draws."""
