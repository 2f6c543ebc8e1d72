"""What the builders of commands on places send, and what they refuse."""

from __future__ import annotations

from core.commands.rows import Beside, Refused, Sent
from resp_sansio import commands

TRIANGLE = [(0, 0), (0, 1.5), (1, 0)]

SENT: Sent = [
    (commands.geoadd("g", {"a": (1, 2.5), b"b": (-3, 4)}), "GEOADD g 1 2.5 a -3 4 b"),
    (commands.geoadd("g", {"a": (1, 2)}, xx=True, ch=True), "GEOADD g XX CH 1 2 a"),
    (commands.geoadd("g", {"NX": (1, 2)}, nx=True), "GEOADD g NX 1 2 NX"),
    (commands.geodist("g", "a", "b"), "GEODIST g a b m"),
    (commands.geodist("g", "a", "b", "km"), "GEODIST g a b km"),
    (commands.geohash("g", "a", "b"), "GEOHASH g a b"),
    (commands.geopos("g", "a"), "GEOPOS g a"),
    (commands.geosearch("g", frommember="a", byradius=5), "GEOSEARCH g FROMMEMBER a BYRADIUS 5 m"),
    (
        commands.geosearch("g", fromlonlat=(1, 2.5), bybox=(3, 4), unit="km", asc=True, count=2, any=True),
        "GEOSEARCH g FROMLONLAT 1 2.5 BYBOX 3 4 km ASC COUNT 2 ANY",
    ),
    (commands.geosearch("g", bypolygon=TRIANGLE, desc=True), "GEOSEARCH g BYPOLYGON 3 0 0 0 1.5 1 0 DESC"),
    (
        commands.geosearch_withdist("g", frommember="ANY", byradius=0.5, unit="mi", count=1),
        "GEOSEARCH g FROMMEMBER ANY BYRADIUS 0.5 mi COUNT 1 WITHDIST",
    ),
    (
        commands.geosearch_withcoord("g", fromlonlat=(1, 2), byradius=5),
        "GEOSEARCH g FROMLONLAT 1 2 BYRADIUS 5 m WITHCOORD",
    ),
    (commands.geosearch_withhash("g", bypolygon=TRIANGLE), "GEOSEARCH g BYPOLYGON 3 0 0 0 1.5 1 0 WITHHASH"),
    (
        commands.geosearch_withall("g", frommember="a", byradius=5, desc=True),
        "GEOSEARCH g FROMMEMBER a BYRADIUS 5 m DESC WITHDIST WITHHASH WITHCOORD",
    ),
    (
        commands.geosearchstore("d", "g", frommember="a", byradius=5, count=2),
        "GEOSEARCHSTORE d g FROMMEMBER a BYRADIUS 5 m COUNT 2",
    ),
    (
        commands.geosearchstore("d", "g", frommember="a", bybox=(1, 2), unit="ft", asc=True, storedist=True),
        "GEOSEARCHSTORE d g FROMMEMBER a BYBOX 1 2 ft ASC STOREDIST",
    ),
    (commands.georadius("g", 1, 2.5, 3, "km"), "GEORADIUS g 1 2.5 3 km"),
    (commands.georadius("g", 1, 2, 3, "m", count=2, any=True, desc=True), "GEORADIUS g 1 2 3 m COUNT 2 ANY DESC"),
    (commands.georadius_withall("g", 1, 2, 3, "m", asc=True), "GEORADIUS g 1 2 3 m ASC WITHDIST WITHHASH WITHCOORD"),
    (commands.georadius_store("g", 1, 2, 3, "m", store="d"), "GEORADIUS g 1 2 3 m STORE d"),
    (commands.georadius_store("g", 1, 2, 3, "m", count=1, storedist="d"), "GEORADIUS g 1 2 3 m COUNT 1 STOREDIST d"),
    (commands.georadius_ro("g", 1, 2, 3, "m", count=2), "GEORADIUS_RO g 1 2 3 m COUNT 2"),
    (commands.georadius_ro_withall("g", 1, 2, 3, "m"), "GEORADIUS_RO g 1 2 3 m WITHDIST WITHHASH WITHCOORD"),
    (commands.georadiusbymember("g", "a", 3, "km", asc=True), "GEORADIUSBYMEMBER g a 3 km ASC"),
    (commands.georadiusbymember_withall("g", "a", 3, "m"), "GEORADIUSBYMEMBER g a 3 m WITHDIST WITHHASH WITHCOORD"),
    (commands.georadiusbymember_store("g", "a", 3, "m", store="d"), "GEORADIUSBYMEMBER g a 3 m STORE d"),
    (commands.georadiusbymember_ro("g", "a", 3, "m"), "GEORADIUSBYMEMBER_RO g a 3 m"),
    (
        commands.georadiusbymember_ro_withall("g", "a", 3, "m", count=1),
        "GEORADIUSBYMEMBER_RO g a 3 m COUNT 1 WITHDIST WITHHASH WITHCOORD",
    ),
]

REFUSED: Refused = [
    (lambda: commands.geoadd("g", {"a": (1, 2)}, nx=True, xx=True), "nx and xx exclude each other"),
    (lambda: commands.geosearch("g"), "give byradius, bybox or bypolygon"),
    (lambda: commands.geosearch("g", byradius=1), "give frommember or fromlonlat"),
    (
        lambda: commands.geosearch("g", frommember="a", fromlonlat=(1, 2), byradius=1),
        "frommember and fromlonlat exclude each other",
    ),
    (
        lambda: commands.geosearch("g", frommember="a", byradius=1, bybox=(1, 2)),
        "byradius and bybox exclude each other",
    ),
    (
        lambda: commands.geosearch("g", frommember="a", bypolygon=TRIANGLE),
        "bypolygon and frommember exclude each other",
    ),
    (
        lambda: commands.geosearch_withdist("g", bypolygon=TRIANGLE, unit="km"),
        "unit and bypolygon exclude each other",
    ),
    (
        lambda: commands.geosearch("g", frommember="a", byradius=1, asc=True, desc=True),
        "asc and desc exclude each other",
    ),
    (lambda: commands.geosearch("g", frommember="a", byradius=1, any=True), "give count, too"),
    (lambda: commands.georadius_store("g", 1, 2, 3, "m"), "give store or storedist"),
    (
        lambda: commands.georadiusbymember_store("g", "a", 3, "m", store="d", storedist="e"),
        "store and storedist exclude each other",
    ),
]

CENTER = {"frommember": "data", "byradius": 7, "count": 7}

BESIDE: Beside = {
    **dict.fromkeys(
        [
            commands.geosearch,
            commands.geosearch_withdist,
            commands.geosearch_withcoord,
            commands.geosearch_withhash,
            commands.geosearch_withall,
            commands.geosearchstore,
        ],
        CENTER,
    ),
    commands.georadius_store: {"store": "data"},
    commands.georadiusbymember_store: {"store": "data"},
}
