import SCTP
import Testing

@Suite struct ConfigurationTests {
    @Test func theWindowHoldsAWholeMessage() {
        let configuration = SCTPConfiguration()
        #expect(configuration.limits.reassemblyBytes >= configuration.maximumMessageSize)
        #expect(configuration.limits.sendBufferBytes >= configuration.maximumMessageSize)
        #expect(configuration.timing.minimumRTO > configuration.timing.acknowledgementDelay)
    }
}
