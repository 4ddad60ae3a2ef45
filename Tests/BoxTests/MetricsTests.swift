import BoxHub
import DataChannel
import SCTP
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

    /// What data channels and sends were refused for was counted and told nowhere.
    @Test func `every refusal on the hub is told`() {
        var metrics = Metrics()
        metrics.add(HubServer.Snapshot())
        let lines = Set(metrics.text.split(separator: "\n").map(String.init))
        for cause in DataChannelRefusal.allCases {
            #expect(lines.contains("kibitz_hub_channels_refused_total{cause=\"\(cause.rawValue)\"} 0"))
        }
        for cause in SendRefusal.allCases {
            #expect(lines.contains("kibitz_hub_sends_refused_total{cause=\"\(cause.rawValue)\"} 0"))
        }
    }
}
