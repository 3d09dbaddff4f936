"""The documents' programs pass a strict type checker."""

from pathlib import Path

from tests.docs.programs import PAGES, write_programs
from tests.type_checker import complaints


def test_every_program_of_the_documents_passes_the_strict_type_checker(tmp_path: Path):
    programs = write_programs(tmp_path)
    shown = sum(page.read_text(encoding="utf-8").count("```python\n") for page in PAGES)
    assert len(programs) == shown > 20
    assert complaints(tmp_path) == {}
