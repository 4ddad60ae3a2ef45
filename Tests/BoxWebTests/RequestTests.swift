import Testing

@testable import BoxWeb

@Suite struct RequestTests {
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

    /// RFC 9110, section 5.6.7, has the first as its example.
    @Test func `a date is as header fields have it`() {
        #expect(WebServer.date(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(WebServer.date(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }
}
