import Testing
import Wire

@Suite struct PercentDecodingTests {
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
}
