"""Write the generated blocks of `docs/` anew; run from the project's folder."""

from pathlib import Path

from greenstream.entrypoints.docs.pages import pages

for path, text in pages(Path("docs")):
    path.write_text(text, encoding="utf-8")
