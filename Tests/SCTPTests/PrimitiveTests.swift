import TestSupport
import Testing

@testable import SCTP

@Suite struct PrimitiveTests {
    /// The vectors of RFC 3720 appendix B.4, and the usual one of nine digits.
    @Test(
        arguments: [
            (Array("123456789".utf8), 0xE306_9283), ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43), (Array(0..<32), 0x46DD_794E),
            (Array((0..<32).reversed()), 0x113F_DB5C), ([], 0),
        ] as [([UInt8], UInt32)])
    func checksumsAreThoseOfTheRFC(_ bytes: [UInt8], _ checksum: UInt32) {
        #expect(bytes.withUnsafeBytes { CRC32c.checksum(of: $0) } == checksum)
    }

    @Test func packetChecksumsIgnoreTheField() {
        var generator = SeededGenerator(seed: 5)
        for length in 12...100 {
            var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let checksum = bytes.withUnsafeBytes { CRC32c.checksum(ofPacket: $0) }
            for index in 8..<12 { bytes[index] = 0 }
            #expect(bytes.withUnsafeBytes { CRC32c.checksum(of: $0) } == checksum)
        }
    }

    /// The vectors of the authors' reference: key 00…0f, messages 00, 00 01, ….
    @Test(
        arguments: [
            (0, 0x726F_DB47_DD0E_0E31), (1, 0x74F8_39C5_93DC_67FD), (8, 0x93F5_F579_9A93_2462),
            (15, 0xA129_CA61_49BE_45E5),
        ] as [(Int, UInt64)])
    func tagsAreThoseOfTheReference(_ length: Int, _ tag: UInt64) {
        let hash = SipHash(key0: 0x0706_0504_0302_0100, key1: 0x0F0E_0D0C_0B0A_0908)
        let message = (0..<length).map { UInt8($0) }
        #expect(message.withUnsafeBytes { hash.tag(of: $0) } == tag)
    }

    @Test func serialNumbersWrapAround() {
        #expect(TSN(0xFFFF_FFFF).precedes(TSN(0)))
        #expect(TSN(5).distance(from: TSN(0xFFFF_FFFE)) == 7)
        #expect(TSN(0xFFFF_FFFE).distance(from: TSN(5)) == -7)
        #expect(UInt16.max.precedes(serial: 0))
        #expect(!UInt16(7).precedes(serial: 7))
    }

    @Test func ringKeepsOrderWhileItGrowsAndWraps() {
        var generator = SeededGenerator(seed: 3)
        var ring = Ring<Int>()
        var model: [Int] = []
        for number in 0..<5000 {
            if Int.random(in: 0..<5, using: &generator) < 3 {
                ring.append(number)
                model.append(number)
            } else {
                let count = Int.random(in: 0...3, using: &generator)
                ring.removeFirst(count)
                model.removeFirst(min(count, model.count))
            }
            #expect(ring.count == model.count && ring.first == model.first && ring.last == model.last)
        }
        #expect((0..<ring.count).map { ring[$0] } == model)
        ring.removeFirst(ring.count)
        ring.releaseIfEmpty()
        #expect(ring.footprint == 0)
    }

    @Test func byteQueueKeepsBytesWhileItGrowsAndWraps() {
        var generator = SeededGenerator(seed: 4)
        var queue = ByteQueue()
        var model: [UInt8] = []
        for number in 0..<800 {
            if Int.random(in: 0..<5, using: &generator) < 3 {
                let bytes = pattern(Int.random(in: 1...900, using: &generator), number)
                queue.append(bytes.span.bytes)
                model += bytes
            } else {
                let count = Int.random(in: 0...min(1500, model.count), using: &generator)
                queue.discard(before: queue.start + UInt64(count))
                model.removeFirst(count)
            }
            var copy: [UInt8] = []
            queue.copy(from: queue.start, length: queue.count, to: &copy)
            #expect(copy == model)
        }
        queue.discard(before: queue.end)
        queue.releaseIfEmpty()
        #expect(queue.footprint == 0)
    }

    @Test func streamTableCountsEachStream() {
        var table = StreamTable()
        for stream in [5, 1, 65_534, 3, 1, 5, 1] as [UInt16] { table[stream] &+= 1 }
        #expect(table[1] == 3 && table[3] == 1 && table[5] == 2 && table[65_534] == 1 && table[2] == 0)
        #expect(table.count == 4)
        #expect(table.admits(3, limit: 4) && !table.admits(2, limit: 4) && table.admits(2, limit: 5))
        table.reset(5)
        #expect(table[5] == 0 && table.count == 3)
    }

    /// The example of RFC 9260 section 6.3.1: the first measurement, then others.
    @Test func timeoutFollowsTheRoundTrip() {
        var timing = SCTPTiming()
        timing.minimumRTO = .milliseconds(1)
        timing.maximumRTO = .seconds(60)
        var timeout = RetransmissionTimeout(timing)
        #expect(timeout.current == timing.initialRTO)
        timeout.measured(.milliseconds(100))
        #expect(timeout.smoothedRoundTrip == .milliseconds(100))
        #expect(timeout.current == .milliseconds(300), "SRTT + 4 * R/2")
        timeout.measured(.milliseconds(180))
        #expect(timeout.smoothedRoundTrip == .milliseconds(110))
        #expect(timeout.current == .milliseconds(110 + 4) + .microseconds(226_000), "RTTVAR = 3/4 * 50 + 1/4 * 80")
        timeout.backOff()
        #expect(timeout.current == .milliseconds(680))
        for _ in 0..<20 { timeout.backOff() }
        #expect(timeout.current == .seconds(60))
        timeout.measured(.seconds(-5))
        timeout.measured(.seconds(Int64.max / 2))
        #expect(timeout.current == .seconds(60))
    }

    @Test func windowGrowsAsTheRFCSays() {
        var control = CongestionControl(segment: 1160, peerWindow: 100_000)
        #expect(control.window == 4404)
        control.acknowledged(2320, flight: 4404, isAllAcknowledged: false)
        #expect(control.window == 4404 + 1160, "slow start: one segment at most for each acknowledgement")
        control.acknowledged(2320, flight: 1000, isAllAcknowledged: false)
        #expect(control.window == 4404 + 1160, "not while the window isn't used")
        control.lost(lastSent: TSN(10))
        #expect(control.window == 4640 && control.threshold == 4640)
        control.lost(lastSent: TSN(20))
        #expect(control.window == 4640 && control.recoveryExit == TSN(10), "once for each recovery")
        control.acknowledged(4640, flight: 4640, isAllAcknowledged: false)
        #expect(control.window == 4640, "no growth in recovery")
        control.advanced(to: TSN(9))
        #expect(control.recoveryExit != nil)
        control.advanced(to: TSN(10))
        #expect(control.recoveryExit == nil)
        control.acknowledged(1160, flight: 4640, isAllAcknowledged: false)
        #expect(control.window == 5800, "at the threshold it is still slow start")
        control.acknowledged(2900, flight: 5800, isAllAcknowledged: false)
        #expect(control.window == 5800, "congestion avoidance: a segment for each window acknowledged")
        control.acknowledged(2900, flight: 5800, isAllAcknowledged: false)
        #expect(control.window == 6960)
        control.timedOut()
        #expect(control.window == 1160 && control.threshold == 4640)
    }
}
