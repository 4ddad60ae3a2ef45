import Testing

@testable import Box

@Suite struct MetricsTests {
    @Test func `figures are in the text format of Prometheus`() {
        var metrics = Metrics()
        metrics.add("people", "People in the room.", 3)
        metrics.add("drops_total", "Drops.", [("cause=\"rate\"", 1), ("cause=\"size\"", 2)])
        #expect(
            metrics.text == """
                # HELP kibitz_people People in the room.
                # TYPE kibitz_people gauge
                kibitz_people 3
                # HELP kibitz_drops_total Drops.
                # TYPE kibitz_drops_total counter
                kibitz_drops_total{cause="rate"} 1
                kibitz_drops_total{cause="size"} 2

                """)
    }
}
