import Testing
import Wire

@testable import DTLS

@Suite struct ReplayWindowTests {
    @Test func eachNumberPassesOnce() {
        var window = ReplayWindow()
        for number: UInt64 in [5, 3, 4, 70, 69, 7, 71] {
            #expect(window.admits(number), "\(number)")
            window.note(number)
            #expect(!window.admits(number), "\(number)")
        }
    }

    @Test func whatIsTooOldToTellIsRefused() {
        var window = ReplayWindow()
        window.note(100)
        #expect(window.admits(37))
        #expect(!window.admits(36))
        window.note(1_000_000)
        #expect(!window.admits(100))
        #expect(window.admits(999_999))
    }

    @Test func theLargestNumbersDoNotTrap() {
        var window = ReplayWindow()
        window.note(0)
        window.note(.max)
        #expect(!window.admits(0))
        #expect(!window.admits(.max))
        #expect(window.admits(.max - 1))
    }
}

@Suite struct RecordHeaderTests {
    @Test func writtenHeadersAreReadBack() throws {
        var bytes = [UInt8](repeating: 0, count: RecordHeader.size + 4)
        bytes.withUnsafeMutableBytes {
            RecordHeader(type: 23, number: 0x0001_0203_0405_0607, length: 4).write(to: $0)
        }
        #expect(bytes == [23, 0xFE, 0xFD, 0, 1, 2, 3, 4, 5, 6, 7, 0, 4, 0, 0, 0, 0])
        var reader = ByteReader(bytes.span.bytes)
        let read = RecordHeader(&reader)
        let header = try #require(read)
        #expect(header.type == 23)
        #expect(header.epoch == 1)
        #expect(header.number == 0x0001_0203_0405_0607)
        #expect(header.length == 4)
        #expect(reader.offset == RecordHeader.size)
    }

    @Test func cutRecordsAreNone() {
        let bytes: [UInt8] = [22, 0xFE, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2]
        for count in 0..<bytes.count {
            var reader = ByteReader(bytes.span.bytes.extracting(..<count))
            let header = RecordHeader(&reader)
            #expect(header == nil, "\(count) octets")
        }
        // TLS, not DTLS.
        let other = [22, 3, 3] + bytes[3...]
        var reader = ByteReader(other.span.bytes)
        let header = RecordHeader(&reader)
        #expect(header == nil)
    }
}
