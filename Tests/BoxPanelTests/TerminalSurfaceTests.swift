import Glibc
import NIOCore
import NIOEmbedded
import Screens
import Testing

@testable import BoxPanel

@Suite struct TerminalSurfaceTests {
    /// A pipe that holds as little as one can, and is full.
    private struct FullPipe {
        let reader: CInt
        let writer: CInt

        init() throws {
            var ends: [CInt] = [-1, -1]
            try #require(pipe(&ends) == 0)
            (reader, writer) = (ends[0], ends[1])
            fill()
        }

        func fill() {
            let flags = fcntl(writer, F_GETFL)
            _ = fcntl(writer, F_SETFL, flags | O_NONBLOCK)
            while write(writer, "~", 1) == 1 {}
            _ = fcntl(writer, F_SETFL, flags)
        }

        /// Takes what is in it, without what it was filled with.
        func read() -> String {
            _ = fcntl(reader, F_SETFL, O_NONBLOCK)
            var octets = [UInt8](repeating: 0, count: 1 << 20)
            var text = ""
            while true {
                let count = Glibc.read(reader, &octets, octets.count)
                guard count > 0 else { return text }
                text += String(decoding: octets[..<count].filter { $0 != UInt8(ascii: "~") }, as: UTF8.self)
            }
        }

        func end() {
            close(reader)
            close(writer)
        }
    }

    /// A terminal that was halted held up the panel's thread: the button, `status`, and the end of the process.
    @Test(.timeLimit(.minutes(1))) func aTerminalThatTakesNothingHoldsNobodyUp() throws {
        let pipe = try FullPipe()
        defer { pipe.end() }
        let loop = EmbeddedEventLoop()
        let terminal = TerminalSurface(texts: Texts(.english), loop: loop, descriptor: pipe.writer)
        terminal.show(.starting(name: "Attic"), awaited: true) { throw CancellationError() }
        terminal.show(.rotating, awaited: true) { throw CancellationError() }
        terminal.show(.room(.room()), awaited: true) { throw CancellationError() }
        loop.advanceTime(by: .seconds(10))
        #expect(pipe.read() == "", "it was full")
        loop.advanceTime(by: .seconds(1))
        let text = pipe.read()
        let words = ScreenText(Texts(.english), colors: false)
        #expect(
            text == words.text(of: .starting(name: "Attic")) + words.text(of: .room(.room())),
            "what was begun, and the last")
        #expect(fcntl(pipe.writer, F_GETFL) & O_NONBLOCK == 0, "others use it too")
    }

    @Test(.timeLimit(.minutes(1))) func theEndWaitsForATerminalASecond() throws {
        let pipe = try FullPipe()
        defer { pipe.end() }
        let loop = EmbeddedEventLoop()
        let terminal = TerminalSurface(texts: Texts(.english), loop: loop, descriptor: pipe.writer)
        terminal.show(.shuttingDown, awaited: true) { throw CancellationError() }
        var ends = 0
        terminal.finish { ends += 1 }
        loop.advanceTime(by: .milliseconds(900))
        #expect(ends == 0)
        loop.advanceTime(by: .milliseconds(100))
        #expect(ends == 1)
        _ = pipe.read()
        loop.advanceTime(by: .seconds(1))
        #expect(ends == 1)
    }

    @Test func whereNobodyReadsNothingIsKept() throws {
        let pipe = try FullPipe()
        let loop = EmbeddedEventLoop()
        signal(SIGPIPE, SIG_IGN)
        close(pipe.reader)
        defer { close(pipe.writer) }
        let terminal = TerminalSurface(texts: Texts(.english), loop: loop, descriptor: pipe.writer)
        terminal.show(.shuttingDown, awaited: true) { throw CancellationError() }
        var ends = 0
        terminal.finish { ends += 1 }
        #expect(ends == 1)
    }
}
