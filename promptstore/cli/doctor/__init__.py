"""`promptctl doctor`: is this instance set up as it should be?"""

from promptstore.cli.doctor.command import doctor

__all__ = ["doctor"]
