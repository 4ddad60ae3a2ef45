import Testing

@testable import Netlink

struct RuleMessageTests {
    /// A message about something in a table, with what may follow the table's name.
    private func message(
        _ number: UInt16, table: String, family: UInt8 = 1, subsystem: UInt16 = 10, rest: [UInt8] = []
    ) -> [UInt8] {
        let name = Array(table.utf8) + [0]
        let padding = [UInt8](repeating: 0, count: netlinkAligned(name.count) - name.count)
        let payload =
            [family, 0, 0, 1] + host(UInt16(4 + name.count), UInt16(1)) + name + padding + rest
        let type = subsystem << 8 | number
        return host(UInt32(16 + payload.count), type, UInt16(0x800), UInt32(7), UInt32(4711)) + payload
    }

    private func concerns(_ bytes: [UInt8]) -> Bool { RuleMessages.concern(table: "kibitz-local", bytes.span.bytes) }

    /// `NFT_MSG_NEWGEN`, with which each transaction ends: that of the generation has the number of a table's name.
    private let generation =
        host(UInt32(40), UInt16(10 << 8 | 15), UInt16(0), UInt32(7), UInt32(4711))
        + [0, 0, 0, 1] + host(UInt16(8), UInt16(1)) + [0, 0, 0, 9]
        + host(UInt16(12), UInt16(3)) + Array("nft\0\0\0\0\0".utf8)

    /// A table, a chain, a rule, a set, an element of one, an object, a flow table: made or taken away.
    @Test(arguments: [0, 2, 3, 5, 6, 8, 9, 11, 12, 14, 18, 20, 22, 24] as [UInt16])
    func `what changes in the box's table is seen`(_ number: UInt16) {
        let handle = host(UInt16(12), UInt16(4), UInt32(0), UInt32(0))
        #expect(concerns(message(number, table: "kibitz-local", rest: handle)))
        #expect(!concerns(message(number, table: "kibitz-loca", rest: handle)))
        #expect(!concerns(message(number, table: "kibitz-locals", rest: handle)))
        #expect(!concerns(message(number, table: "filter", rest: handle)))
    }

    @Test func `another family's table of the same name is another's`() {
        // IPv4's, ARP's, devices', bridges', IPv6's.
        for family in [2, 3, 5, 7, 10] as [UInt8] {
            #expect(!concerns(message(2, table: "kibitz-local", family: family)))
        }
    }

    @Test func `what other parts of netfilter announce is none of it`() {
        #expect(!concerns(message(0, table: "kibitz-local", subsystem: 1)))
        #expect(!concerns(generation))
        #expect(!concerns([]))
    }

    @Test func `one message of many is found`() {
        let others = (0..<40).flatMap { message(8, table: "foreign\($0)") }
        #expect(!concerns(others + generation))
        #expect(concerns(others + message(2, table: "kibitz-local") + generation))
        #expect(concerns(message(2, table: "kibitz-local") + others))
    }

    @Test func `a datagram that is cut off may have been about the box's table`() {
        let whole = message(6, table: "filter", rest: host(UInt16(8), UInt16(2)) + [1, 2, 3, 4])
        for count in 1..<whole.count { #expect(concerns(Array(whole[..<count]))) }
        #expect(!concerns(whole))
    }

    @Test func `no truncation of what is within a message traps`() {
        let whole = message(6, table: "kibitz-local", rest: host(UInt16(8), UInt16(2)) + [1, 2, 3, 4])
        // To the end of the name.
        let least = 16 + 4 + 4 + 13
        for count in 16...whole.count { #expect(concerns(host(UInt32(count)) + whole[4..<count]) == (count >= least)) }
    }

    @Test func `lengths that can't be are no names`() {
        for length in [0, 1, 3, 4, 5, 0xffff] as [UInt16] {
            var bytes = message(0, table: "kibitz-local")
            bytes.replaceSubrange(20..<22, with: host(length))
            #expect(!concerns(bytes))
        }
    }

    @Test func `the generation is asked for and read`() {
        var writer = NetlinkWriter()
        RuleMessages.askGeneration(into: &writer)
        #expect(
            writer.bytes == host(UInt32(20), UInt16(10 << 8 | 16), UInt16(1), UInt32(1), UInt32(0)) + [0, 0, 0, 0])
        let number = RuleMessages.generation(in: generation.span.bytes)
        #expect(number == UInt32(bigEndian: 9), "in whichever order, as it is only compared")
        let refusal = host(UInt32(36), UInt16(2), UInt16(0), UInt32(1), UInt32(0), Int32(-1)) + writer.bytes.prefix(16)
        #expect(RuleMessages.generation(in: refusal.span.bytes) == nil)
        #expect(RuleMessages.generation(in: [UInt8]().span.bytes) == nil)
        for count in self.generation.indices {
            _ = RuleMessages.generation(in: self.generation.span.bytes.extracting(0..<count))
        }
    }
}
