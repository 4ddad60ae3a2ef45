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
