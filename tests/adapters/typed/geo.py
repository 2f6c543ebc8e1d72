"""What commands on places return on a real server."""

from __future__ import annotations

from adapters.typed.families import Family, Like
from resp_sansio import GeoMember, GeoPosition, commands

# Where a server has put the two cities: to the nearest of 2 ** 26 longitudes and as many latitudes.
PALERMO = GeoPosition(13.361389338970184, 38.1155563954963)
CATANIA = GeoPosition(15.087267458438873, 37.50266842333162)
CITIES = {"Palermo": (13.361389, 38.115556), b"Catania": (15.087269, 37.502669)}
BOTH = [
    GeoMember(b"Catania", 56.4413, 3479447370796909, CATANIA),
    GeoMember(b"Palermo", 190.4424, 3479099956230698, PALERMO),
]
HERE = [GeoMember(b"Catania", 0.0, 3479447370796909, CATANIA)]
BOX = [(13, 37), (13, 39), (16, 39), (16, 37)]


FAMILIES = [
    Family(
        "places",
        [
            (commands.geoadd("g", CITIES), 2),
            (commands.geoadd("g", CITIES), 0),
            (
                commands.geodist("g", "Palermo", "Catania"),
                166274.1516,
                lambda redis: redis.geodist("g", "Palermo", "Catania"),
            ),
            (commands.geodist("g", "Palermo", "Catania", "km"), 166.2742),
            (commands.geodist("g", "Palermo", "none"), None, lambda redis: redis.geodist("g", "Palermo", "none")),
            (commands.geohash("g", "Palermo", "none"), ["sqc8b49rny0", None]),
            (
                commands.geopos("g", "Palermo", "none"),
                [PALERMO, None],
                lambda redis: redis.geopos("g", "Palermo", "none"),
            ),
            (commands.geohash("none", "a"), [None]),
            (commands.geopos("none", "a"), [None]),
            (commands.georadius("g", 15, 37, 200, "km", desc=True), [b"Palermo", b"Catania"]),
            (commands.georadius("none", 15, 37, 200, "km"), []),
            (commands.georadius_withall("g", 15, 37, 200, "km", asc=True), BOTH),
            (commands.georadius_store("g", 15, 37, 100, "km", store="d"), 1),
            (commands.georadius_store("g", 15, 37, 200, "km", storedist="d"), 2),
            (commands.zscore("d", "Catania"), Like(float, lambda distance: 56.4412 < distance < 56.4414)),
            (commands.georadius_ro("g", 15, 37, 200, "km", count=1), [b"Catania"]),
            (commands.georadius_ro_withall("g", 15, 37, 200, "km", count=1), BOTH[:1]),
            (commands.georadiusbymember("g", "Catania", 100, "km"), [b"Catania"]),
            (
                commands.georadiusbymember_withall("g", "Catania", 1, "mi"),
                HERE,
            ),
            (commands.georadiusbymember_store("g", "Catania", 1, "m", store="d"), 1),
            (commands.georadiusbymember_ro("g", "Catania", 100, "km"), [b"Catania"]),
            (
                commands.georadiusbymember_ro_withall("g", "Catania", 1, "ft"),
                HERE,
            ),
        ],
    ),
    Family(
        "places since Redis 6.2",
        [
            (commands.geoadd("g", CITIES, xx=True), 0),
            (commands.geoadd("g", CITIES, nx=True, ch=True), 2),
            (commands.geoadd("g", {"Palermo": (13, 38)}, xx=True, ch=True), 1),
            (commands.geoadd("g", CITIES, ch=True), 1),
            (
                commands.geosearch("g", fromlonlat=(15, 37), byradius=200, unit="km", asc=True),
                [b"Catania", b"Palermo"],
                lambda redis: redis.geosearch("g", longitude=15, latitude=37, radius=200, unit="km", sort="ASC"),
            ),
            (commands.geosearch("g", fromlonlat=(15, 37), byradius=200, unit="km", count=1), [b"Catania"]),
            (
                commands.geosearch("g", frommember="Palermo", bybox=(500, 500), unit="km", desc=True),
                [b"Catania", b"Palermo"],
            ),
            (commands.geosearch("g", frommember="Palermo", byradius=1, count=1, any=True), [b"Palermo"]),
            (commands.geosearch("none", fromlonlat=(1, 2), byradius=3), []),
            (
                commands.geosearch_withdist("g", fromlonlat=(15, 37), byradius=200, unit="km", asc=True),
                [(b"Catania", 56.4413), (b"Palermo", 190.4424)],
                lambda redis: [
                    tuple(found)
                    for found in redis.geosearch(
                        "g", longitude=15, latitude=37, radius=200, unit="km", sort="ASC", withdist=True
                    )
                ],
            ),
            (commands.geosearch_withcoord("g", frommember="Palermo", byradius=1), [(b"Palermo", PALERMO)]),
            (commands.geosearch_withhash("g", frommember="Palermo", byradius=1), [(b"Palermo", 3479099956230698)]),
            (commands.geosearch_withall("g", fromlonlat=(15, 37), byradius=200, unit="km", asc=True), BOTH),
            (commands.geosearch_withall("none", fromlonlat=(15, 37), byradius=200), []),
            (commands.geosearchstore("d", "g", fromlonlat=(15, 37), byradius=100, unit="km"), 1),
            (commands.geosearchstore("d", "g", fromlonlat=(15, 37), byradius=200, unit="km", storedist=True), 2),
            (commands.zscore("d", "Catania"), Like(float, lambda distance: 56.4412 < distance < 56.4414)),
        ],
        needs=("Redis 6.2",),
    ),
    Family(
        "places in a polygon",
        [
            (commands.geoadd("g", CITIES | {"Rome": (12.4964, 41.9028)}), 3),
            (commands.geosearch("g", bypolygon=BOX, asc=True), [b"Catania", b"Palermo"]),
            (commands.geosearch_withcoord("g", bypolygon=BOX, count=1), [(b"Catania", CATANIA)]),
            (commands.geosearch_withdist("g", bypolygon=BOX, count=1), [(b"Catania", 76454.0837)]),
            (commands.geosearchstore("d", "g", bypolygon=BOX), 2),
            (commands.geosearch("g", bypolygon=BOX[:3], desc=True), [b"Palermo"]),
        ],
        needs=("Valkey 9.0",),
    ),
]
