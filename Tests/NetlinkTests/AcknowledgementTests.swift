import Testing
import Wire

@testable import Netlink

struct AcknowledgementTests {
    /// An `NLMSG_ERROR` for a request of 24 octets.
    private func errorMessage(_ code: Int32, flags: NetlinkFlags, attributes: [UInt8] = []) -> [UInt8] {
        let request =
            host(UInt32(24), UInt16(0x1C), UInt16(5), UInt32(9), UInt32(0))
            + (flags.contains(.capped) ? [] : [5, 0, 0, 0, 4, 0, 9, 0])
        let length = UInt32(16 + 4 + request.count + attributes.count)
        return host(length, NetlinkHeader.error, flags.rawValue, UInt32(9), UInt32(0)) + host(code) + request
            + attributes
    }

    private func read(_ bytes: [UInt8]) -> NetlinkAcknowledgement? {
        var reader = NetlinkMessageReader(bytes.span.bytes)
        guard let message = reader.next() else { return nil }
        return NetlinkAcknowledgement(message)
    }

    private let text = host(UInt16(4 + 12), UInt16(1)) + Array("bad channel\0".utf8)

    @Test func `number 0 says that it was done`() throws {
        let acknowledgement = try #require(read(errorMessage(0, flags: .capped)))
        #expect(acknowledgement.error == nil && acknowledgement.cookie == nil)
    }

    @Test func `the kernel's words are found behind a request that is cut to its header`() throws {
        let attributes = text + host(UInt16(8), UInt16(2), UInt32(20))
        let bytes = errorMessage(-22, flags: [.capped, .acknowledgementHasAttributes], attributes: attributes)
        let error = try #require(read(bytes)?.error)
        #expect(error == NetlinkError(.invalid, message: "bad channel", offset: 20))
        #expect(error.description == "invalid request (error 22): bad channel, at octet 20 of the request")
    }

    @Test func `and behind one that is repeated in full`() throws {
        let bytes = errorMessage(-95, flags: .acknowledgementHasAttributes, attributes: text)
        let error = try #require(read(bytes)?.error)
        #expect(error == NetlinkError(.notSupported, message: "bad channel"))
    }

    @Test func `without their flag, what lies behind is no words`() throws {
        let error = try #require(read(errorMessage(-22, flags: .capped, attributes: text))?.error)
        #expect(error == NetlinkError(.invalid))
    }

    @Test func `a missing attribute is named, and a cookie read`() throws {
        let missing = host(UInt16(8), UInt16(5), UInt32(14))
        let refused = read(errorMessage(-22, flags: [.capped, .acknowledgementHasAttributes], attributes: missing))
        #expect(refused?.error?.missingAttribute == 14)
        let cookie = host(UInt16(12), UInt16(3), UInt64(0x1234_5678_9ABC))
        let done = read(errorMessage(0, flags: [.capped, .acknowledgementHasAttributes], attributes: cookie))
        #expect(done?.cookie == 0x1234_5678_9ABC && done?.error == nil)
    }

    @Test func `the end of a list can bear an error`() {
        let good = host(UInt32(20), NetlinkHeader.done, UInt16(2), UInt32(1), UInt32(0), Int32(0))
        let end = read(good)
        #expect(end != nil && end?.error == nil)
        let bad = host(UInt32(20), NetlinkHeader.done, UInt16(2), UInt32(1), UInt32(0), Int32(-19))
        #expect(read(bad)?.error?.number == .noDevice)
        let old = host(UInt32(16), NetlinkHeader.done, UInt16(2), UInt32(1), UInt32(0))
        let oldEnd = read(old)
        #expect(oldEnd != nil && oldEnd?.error == nil)
    }

    @Test func `every truncation is refused or says less, and none traps`() {
        let attributes = text + host(UInt16(8), UInt16(2), UInt32(20))
        let whole = errorMessage(-22, flags: [.capped, .acknowledgementHasAttributes], attributes: attributes)
        for count in 16..<whole.count {
            // The header's length is that of what there is.
            let cut = host(UInt32(count)) + whole[4..<count]
            let acknowledgement = read(cut)
            if count < 36 {
                #expect(acknowledgement == nil)
            } else {
                #expect(acknowledgement?.error?.number == .invalid)
            }
        }
        for code in [Int32.min, 5] {
            // Numbers that no kernel sends.
            #expect(read(errorMessage(code, flags: .capped))?.error == nil)
        }
    }
}
