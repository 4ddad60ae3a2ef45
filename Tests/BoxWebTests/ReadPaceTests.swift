import NIOCore
import Testing

@testable import BoxWeb

@Suite struct ReadPaceTests {
    @Test func `messages that come alone are never held up`() {
        var pace = ReadPace()
        for number in 1...1000 {
            pace.noteRead(at: .uptimeNanoseconds(0) + .microseconds(Int64(number) * 300))
            #expect(!pace.isPaced)
        }
    }

    @Test func `a burst paces the reads of it and for a while after it`() {
        var pace = ReadPace()
        let start = NIODeadline.uptimeNanoseconds(0) + .seconds(1)
        pace.noteRead(at: start)
        #expect(!pace.isPaced, "the first message of a burst is as any")
        pace.noteRead(at: start + .microseconds(20))
        #expect(pace.isPaced)
        pace.noteRead(at: start + .milliseconds(30))
        #expect(pace.isPaced)
        pace.noteRead(at: start + .milliseconds(60))
        #expect(!pace.isPaced, "no reads were close to each other since")
    }
}
