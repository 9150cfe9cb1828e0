"""Telling a person what the rules on the meters' history have newly found."""

from collections.abc import Mapping

from greenstream.entrypoints.cli.console import Console

QUERY = "SELECT code, meter_id, window_start, window_end FROM data_quality_log WHERE window_start IS NOT NULL"


def tell_findings(console: Console, found: Mapping[str, int]) -> None:
    """Say how many findings are new, by code, and where they are; nothing where there are none."""
    if found:
        console.say(f"new in the meters' history: {', '.join(f'{count:,} {code}' for code, count in found.items())}")
        console.say(f'see them: greenstream query "{QUERY}"')
