"""Cases as files: JSON Lines for programs, CSV for spreadsheets.

What `write_cases` wrote, `read_cases` reads back as the same cases.
"""

from registry.dataset_files.reading import Finding, ReadFile, read_cases
from registry.dataset_files.rows import MAX_FILE_BYTES, FileFormat
from registry.dataset_files.writing import write_cases

__all__ = ["MAX_FILE_BYTES", "FileFormat", "Finding", "ReadFile", "read_cases", "write_cases"]
