import Testing

@testable import BoxWeb

@Suite struct RequestTests {
    @Test(arguments: [
        ("plain", "plain"), ("a%20b+c", "a b c"), ("%C3%A9", "é"), ("", ""), ("%2b%2B", "++"),
    ])
    func `percent-encoded text is decoded`(_ encoded: String, _ decoded: String) {
        #expect(percentDecoded(encoded[...]) == decoded)
    }

    @Test(arguments: ["%", "%4", "%zz", "%+1", "%C3", "%ff%fe"])
    func `wrong percent-encoding is refused`(_ encoded: String) {
        #expect(percentDecoded(encoded[...]) == nil)
    }

    @Test func `an address is limited on its own, and remembered addresses are bounded`() {
        let limiter = AddressRateLimiter(rate: 0.001, burst: 3)
        #expect((0..<5).map { _ in limiter.allows("10.0.0.1") } == [true, true, true, false, false])
        #expect(limiter.allows("10.0.0.2"))
        for number in 0...AddressRateLimiter.maxAddresses { _ = limiter.allows("\(number)") }
        #expect(limiter.allows("10.0.0.1"), "beyond the limit all are forgotten")
    }

    @Test func `every file of the page has a type browsers accept`() {
        #expect(mediaType(of: "app/main.js").hasPrefix("text/javascript"))
        #expect(mediaType(of: "manifest.webmanifest") == "application/manifest+json")
        #expect(mediaType(of: "unknown") == "application/octet-stream")
    }
}
