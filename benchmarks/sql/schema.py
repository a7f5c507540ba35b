"""What the scripts of all databases know of the tables: what points where, and what is unique."""

from __future__ import annotations

AUTHOR_REFERENCES = ["author.mentor", "author_tags.author", "book.author", "profile.author"]
WRITER_REFERENCES = ["writer_tags.writer", "writing.writer"]

# a survivor keeps one link to each tag, and one profile
ONE_PER_TAG = {"tag": ", t.tag_id", "same_tag": " AND s.tag_id = t.tag_id"}
ONE = {"tag": "", "same_tag": ""}
