import DataChannel
import TestSupport
import Testing
import WebRTCDirect

@Suite struct DirectEchoTests {
    private func follow(_ bytes: [UInt8], with echo: inout DirectEcho) -> Bool { echo.follow(bytes.span.bytes) }

    /// A frame as the crate makes it: its length, then so many bytes.
    private func frame(_ count: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(count).bigEndian) { Array($0) } + [UInt8](repeating: 7, count: count)
    }

    @Test func framesAreFollowedHoweverTheyAreCut() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<200 {
            var echo = DirectEcho()
            let sizes = (0..<10).map { _ in Int.random(in: 1...5000, using: &generator) }
            var rest = sizes.flatMap(frame)[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(Int.random(in: 1...3000, using: &generator)))
                rest = rest.dropFirst(piece.count)
                let goesOn = follow(piece, with: &echo)
                #expect(goesOn)
            }
            #expect(echo.frames == 10)
        }
    }

    @Test func aLengthThatIsNoneEndsIt() {
        for length: UInt32 in [0, 16 << 20 + 1, .max] {
            var echo = DirectEcho()
            let bytes = frame(3) + withUnsafeBytes(of: length.bigEndian) { Array($0) }
            let goesOn = follow(bytes, with: &echo)
            #expect(!goesOn, "\(length)")
        }
        var echo = DirectEcho()
        let largest = withUnsafeBytes(of: UInt32(16 << 20).bigEndian) { Array($0) }
        let goesOn = follow(largest, with: &echo)
        #expect(goesOn)
    }
}

/// What waits for clients that do not read.
@Suite struct EchoQueueTests {
    private let piece = [UInt8](repeating: 7, count: 60_000)
    private var size: Int { piece.count + EchoQueue.messageOverhead }

    @Test func aClientThatDoesNotReadIsClosedAtItsLimit() {
        var queue = EchoQueue()
        var total = 0
        var taken = 0
        while queue.append(piece, .binary, total: &total) { taken += 1 }
        #expect(taken == EchoQueue.limit / size)
        // The largest frame fits, with its length and the pieces it comes in.
        #expect(taken * piece.count > Int(DirectEcho.frameLimit))
        #expect(queue.bytes == taken * size && total == queue.bytes, "what was refused is not counted")
        queue.removeAll(total: &total)
        #expect(queue.isEmpty && queue.bytes == 0 && total == 0)
    }

    @Test func allTogetherHaveALimitToo() {
        var total = 0
        var queues = (0..<8).map { _ in EchoQueue() }
        var refused: [Int] = []
        for index in queues.indices {
            for _ in 0..<(EchoQueue.limit / size) where !queues[index].append(piece, .binary, total: &total) {
                refused.append(index)
                break
            }
        }
        #expect(refused.first == 3 && total <= EchoQueue.totalLimit && total > EchoQueue.totalLimit - size)
        #expect(total == queues.map(\.bytes).reduce(0, +))
        // Who goes makes room for others.
        queues[0].removeAll(total: &total)
        let hasRoom = queues[7].append(piece, .binary, total: &total)
        #expect(hasRoom)
        for index in queues.indices { queues[index].removeAll(total: &total) }
        #expect(total == 0)
    }

    /// Empty messages cost memory as well.
    @Test func messagesWithoutContentCount() {
        var queue = EchoQueue()
        var total = 0
        var taken = 0
        while queue.append([], .text, total: &total) { taken += 1 }
        #expect(taken == EchoQueue.limit / EchoQueue.messageOverhead)
    }

    @Test func whatWaitsComesOutInOrder() {
        var queue = EchoQueue()
        var total = 1000
        var sent: [UInt8] = []
        func send(_ count: Int) {
            for _ in 0..<count {
                guard let (message, kind) = queue.removeFirst(total: &total) else { return }
                #expect(kind == (message[0] % 2 == 0 ? .binary : .text))
                sent += message
            }
        }
        for round in 0..<3 {
            for number in 0..<10 {
                let isIn = queue.append([UInt8(number)], number % 2 == 0 ? .binary : .text, total: &total)
                #expect(isIn)
            }
            send(4)
            #expect(sent.suffix(4) == [0, 1, 2, 3] && !queue.isEmpty, "round \(round)")
            #expect(queue.bytes == 6 * (1 + EchoQueue.messageOverhead) && total == 1000 + queue.bytes)
            send(.max)
            #expect(sent == (0...round).flatMap { _ in 0..<10 } && queue.isEmpty && total == 1000)
        }
    }
}
