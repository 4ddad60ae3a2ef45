import Testing
import TestSupport
import Wire

@testable import Netlink

struct NetlinkMessageTests {
    @Test func `a message is written as the kernel's structures are laid out`() {
        var writer = NetlinkWriter()
        writer.beginMessage(type: 0x1C, flags: [.request, .acknowledge], sequence: 7)
        writer.write(GenericHeader(command: 5, version: 1))
        writer.put(3, UInt32(0x0102_0304))
        writer.put(4, "wlan0")
        writer.putFlag(9)
        writer.endMessage()
        let expected: [UInt8] =
            host(UInt32(16 + 4 + 8 + 12 + 4), UInt16(0x1C), UInt16(5), UInt32(7), UInt32(0)) + [5, 1, 0, 0]
            + host(UInt16(8), UInt16(3), UInt32(0x0102_0304))
            + host(UInt16(10), UInt16(4)) + Array("wlan0".utf8) + [0, 0, 0]
            + host(UInt16(4), UInt16(9))
        #expect(writer.bytes == expected)
        #expect(!writer.isOverfull)
    }

    @Test func `nests get their lengths, and their flag is not part of the type`() throws {
        var writer = NetlinkWriter()
        writer.beginMessage(type: 0x10, flags: .request, sequence: 1)
        writer.putNest(80) { writer in
            writer.put(1, [UInt8](repeating: 0xAB, count: 5))
            writer.putNest(2) { $0.putFlag(3) }
        }
        writer.put(81, UInt8(1))
        writer.endMessage()
        let payload = try #require(messages(in: writer.bytes).list.first).payload
        // What it is on the wire: 4 + (4 + 5 + 3 of padding) + (4 + 4).
        #expect(payload.prefix(4) == host(UInt16(24), 80 | NetlinkAttribute.nestedFlag)[...])
        let (outer, isMalformed) = attributes(in: payload)
        #expect(outer.map(\.type) == [80, 81] && outer.last?.payload == [1] && !isMalformed)
        let inner = attributes(in: outer[0].payload)
        #expect(inner.list.first == ReadAttribute(type: 1, payload: [UInt8](repeating: 0xAB, count: 5)))
        #expect(inner.list.last?.type == 2 && !inner.isMalformed)
        #expect(attributes(in: inner.list[1].payload).list == [ReadAttribute(type: 3, payload: [])])
    }

    @Test func `several messages of a datagram are read, the last without padding`() {
        let datagram =
            host(UInt32(18), UInt16(20), UInt16(2), UInt32(1), UInt32(0)) + [1, 2, 0, 0]
            + host(UInt32(17), UInt16(21), UInt16(2), UInt32(1), UInt32(0)) + [3]
        let (seen, isMalformed) = messages(in: datagram)
        #expect(seen.map(\.payload) == [[1, 2], [3]])
        #expect(!isMalformed)
    }

    @Test func `every truncation of a datagram is read as far as it goes`() {
        var writer = NetlinkWriter()
        for number in 1...3 as ClosedRange<UInt32> {
            writer.beginMessage(type: 0x20, flags: .multi, sequence: number)
            writer.put(1, number)
            writer.endMessage()
        }
        let bytes = writer.bytes
        for count in 0...bytes.count {
            let (seen, isMalformed) = messages(in: Array(bytes.prefix(count)))
            #expect(seen.count == count / 24)
            #expect(isMalformed == (count % 24 != 0))
        }
    }

    @Test func `a length that is less than a header ends the reading`() {
        for length in 0..<16 as Range<UInt32> {
            let (seen, isMalformed) = messages(in: host(length, UInt16(20), UInt16(2), UInt32(1), UInt32(0)))
            #expect(seen.isEmpty && isMalformed)
        }
        for length in 0..<4 as Range<UInt16> {
            let (seen, isMalformed) = attributes(in: host(length, UInt16(1), UInt32(0)))
            #expect(seen.isEmpty && isMalformed)
        }
    }

    @Test func `an integer that is too short is nil and not what lies behind it`() {
        let bytes = host(UInt16(5), UInt16(1)) + [7, 0, 0, 0] + host(UInt16(8), UInt16(2), UInt32.max)
        let reader = NetlinkAttributes(bytes.span.bytes)
        let short = reader.first(1)
        let (octet, two, four) = (short?.uint8, short?.uint16, short?.uint32)
        let (eight, address) = (short?.uint64, short?.macAddress)
        #expect(octet == 7)
        #expect(two == nil && four == nil && eight == nil && address == nil)
        let signed = reader.first(2)?.int32
        #expect(signed == -1)
    }

    @Test func `what does not fit is said and not sent cut off`() {
        var writer = NetlinkWriter()
        writer.beginMessage(type: 0x10, flags: .request, sequence: 1)
        writer.put(1, [UInt8](repeating: 0, count: NetlinkAttribute.maximumPayload + 1))
        writer.endMessage()
        #expect(writer.isOverfull)
        writer.removeAll()
        #expect(!writer.isOverfull)
        writer.beginMessage(type: 0x10, flags: .request, sequence: 1)
        writer.put(1, [UInt8](repeating: 0, count: NetlinkWriter.maximumMessageSize))
        writer.endMessage()
        #expect(writer.isOverfull)
    }

    @Test func `attributes come back as they were written`() throws {
        var generator = SeededGenerator(seed: 41)
        for _ in 0..<200 {
            var writer = NetlinkWriter()
            let wanted = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                ReadAttribute(
                    type: UInt16.random(in: 0...0x3FFF, using: &generator),
                    payload: (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                        UInt8.random(in: 0...255, using: &generator)
                    }
                )
            }
            writer.beginMessage(type: 0x10, flags: .request, sequence: 1)
            for attribute in wanted { writer.put(attribute.type, attribute.payload) }
            writer.endMessage()
            let bytes = writer.bytes
            #expect(bytes.count % 4 == 0)
            let (seen, isMalformed) = attributes(in: try #require(messages(in: bytes).list.first).payload)
            #expect(seen == wanted && !isMalformed)
        }
    }

    @Test func `random octets trap nothing`() {
        var generator = SeededGenerator(seed: 42)
        for _ in 0..<5000 {
            var bytes = (0..<Int.random(in: 0...120, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            // Often a plausible length, or the reading would end at once.
            if bytes.count > 20 { bytes[1...3] = [0, 0, 0] }
            var reader = NetlinkMessageReader(bytes.span.bytes)
            while let message = reader.next() {
                _ = NetlinkAcknowledgement(message)
                _ = RouteEvent(message)
                walk(NetlinkAttributes(message.payload), depth: 4)
            }
        }
    }

    private func walk(_ attributes: consuming NetlinkAttributes, depth: Int) {
        while let attribute = attributes.next() {
            _ = attribute.string
            _ = attribute.uint32s
            if depth > 0 { walk(attribute.nested, depth: depth - 1) }
        }
    }
}
