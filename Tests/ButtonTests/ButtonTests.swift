import Button
import SansIO
import Testing

/// What people do with the button, and what comes of it.
struct ButtonTests {
    @Test("a press shorter than a second is a press, and told within the debounce time after it")
    func press() {
        var rig = Rig()
        rig.hold(from: 1000, to: 1120)
        rig.run(until: 1120 + 24)
        #expect(rig.events.isEmpty)
        rig.run(until: 1120 + 26)
        #expect(rig.events == [.pressed])
        rig.run(until: 60_000)
        #expect(rig.events == [.pressed])
    }

    @Test("a button that nobody touches asks for no time")
    func idle() {
        var rig = Rig()
        #expect(rig.deadline == nil)
        rig.hold(from: 1000, to: 1100)
        rig.run(until: 5000)
        #expect(rig.deadline == nil)
        #expect(rig.wakes <= 2)
    }

    @Test("held for a second, it counts down once a second; let go before three, nothing happens")
    func cancelled() {
        var rig = Rig()
        rig.hold(from: 0, to: 2900)
        rig.run(until: 1030)
        #expect(rig.events == [.holding(shutDownIn: 2)])
        rig.run(until: 2030)
        #expect(rig.events == [.holding(shutDownIn: 2), .holding(shutDownIn: 1)])
        rig.run(until: 20_000)
        #expect(rig.events == [.holding(shutDownIn: 2), .holding(shutDownIn: 1), .cancelled])
    }

    @Test("let go after three seconds, it shuts down", arguments: [3010, 4500, 9980])
    func shutDown(milliseconds: Int) {
        var rig = Rig()
        rig.hold(from: 0, to: milliseconds)
        rig.run(until: milliseconds - 1)
        #expect(!rig.events.contains(.shutDown))
        rig.run(until: 20_000)
        let second = (3...(milliseconds / 1000)).map { ButtonEvent.holdingOn(resetIn: 10 - $0) }
        #expect(rig.events == [.holding(shutDownIn: 2), .holding(shutDownIn: 1)] + second + [.shutDown])
    }

    @Test("held for ten seconds, it resets at once, and letting go is nothing")
    func reset() {
        var rig = Rig()
        rig.hold(from: 0, to: 12_000)
        rig.run(until: 9999)
        #expect(rig.events.last == .holdingOn(resetIn: 1))
        rig.run(until: 10_001)
        #expect(rig.events.last == .factoryReset)
        let count = rig.events.count
        rig.run(until: 60_000)
        #expect(rig.events.count == count)
    }

    @Test("held at power-on it does nothing until it was let go once; stuck is told once")
    func heldAtStart() {
        var rig = Rig(isPressed: true)
        rig.run(until: 29_999)
        #expect(rig.events.isEmpty)
        rig.run(until: 120_000)
        #expect(rig.events == [.stuck])
        #expect(rig.deadline == nil)
        rig.set(false, at: 120_000)
        rig.hold(from: 121_000, to: 121_200)
        rig.run(until: 130_000)
        #expect(rig.events == [.stuck, .released, .pressed])
    }

    @Test("a line that sticks later resets no more than once")
    func sticksLater() {
        var rig = Rig()
        rig.set(true, at: 0)
        rig.run(until: 600_000)
        #expect(rig.events.filter { $0 == .factoryReset }.count == 1)
        #expect(rig.events.last == .stuck)
        #expect(rig.events.filter { $0 == .stuck }.count == 1)
    }

    @Test("a double click is one press, and a click after the pause another")
    func doubleClick() {
        var rig = Rig()
        for start in [0, 250, 900, 2000] { rig.hold(from: start, to: start + 100) }
        rig.run(until: 3000)
        #expect(rig.events == [.pressed])
        rig.hold(from: 3200, to: 3300)
        rig.run(until: 10_000)
        #expect(rig.events == [.pressed, .pressed])
    }

    @Test("held right after a press, it counts down all the same")
    func holdAfterPress() {
        var rig = Rig()
        rig.hold(from: 0, to: 100)
        rig.hold(from: 400, to: 4000)
        rig.run(until: 10_000)
        #expect(rig.events.first == .pressed)
        #expect(rig.events.last == .shutDown)
    }

    @Test("what lasts for less than the debounce time is nothing, neither as a press nor within a hold")
    func glitches() {
        var rig = Rig()
        for start in stride(from: 0, to: 2000, by: 50) { rig.hold(from: start, to: start + 20) }
        rig.run(until: 3000)
        #expect(rig.events.isEmpty)
        rig.set(true, at: 3000)
        for start in stride(from: 3300, to: 6500, by: 100) {
            rig.set(false, at: start)
            rig.set(true, at: start + 20)
        }
        rig.set(false, at: 6600)
        rig.run(until: 10_000)
        #expect(rig.events == [.holding(shutDownIn: 2), .holding(shutDownIn: 1), .holdingOn(resetIn: 7), .shutDown])
    }

    @Test("a line that chatters for ever is nothing")
    func chatter() {
        var rig = Rig()
        for time in stride(from: 0, to: 60_000, by: 10) { rig.set(time % 20 == 0, at: time) }
        rig.run(until: 60_000)
        #expect(rig.events.isEmpty)
    }

    @Test("a release that was lost is found by reading the line")
    func lostRelease() {
        var rig = Rig()
        rig.set(true, at: 0)
        rig.set(false, at: 300, isTold: false)
        rig.run(until: 30_000)
        // Read when the countdown would have begun: it was let go before.
        #expect(rig.events == [.pressed] || rig.events == [.cancelled])
        #expect(!rig.events.contains(.shutDown))
        #expect(rig.deadline == nil)
    }

    @Test("edges that were lost in a hold begin it anew, or end it when it was counted down")
    func lostEdges() {
        var button = Button()
        var events: [ButtonEvent] = []
        _ = button.handle(.level(isPressed: false), at: .zero, into: &events)
        _ = button.handle(.edge(isPressed: true, at: .zero), at: .zero, into: &events)
        _ = button.handle(.level(isPressed: true), at: milliseconds(30), into: &events)
        let next = button.handle(.lostEdges, at: milliseconds(800), into: &events)
        #expect(next == milliseconds(1800))
        _ = button.handle(.level(isPressed: true), at: milliseconds(1800), into: &events)
        #expect(events == [.holding(shutDownIn: 2)])
        _ = button.handle(.lostEdges, at: milliseconds(2500), into: &events)
        #expect(events == [.holding(shutDownIn: 2), .cancelled])
        for second in 3...14 {
            _ = button.handle(.level(isPressed: true), at: milliseconds(second * 1000), into: &events)
        }
        #expect(events.count == 2)
    }

    @Test("a countdown that was not shown in time is shown whole before anything happens")
    func lateShell() {
        var button = Button()
        var events: [ButtonEvent] = []
        _ = button.handle(.level(isPressed: false), at: .zero, into: &events)
        _ = button.handle(.edge(isPressed: true, at: .zero), at: .zero, into: &events)
        // Nothing ran for 20 seconds.
        var next = button.handle(.level(isPressed: true), at: milliseconds(20_000), into: &events)
        #expect(events == [.holding(shutDownIn: 2)])
        #expect(next == milliseconds(21_000))
        while let due = next, !events.contains(.factoryReset) {
            next = button.handle(.level(isPressed: true), at: due, into: &events)
        }
        #expect(events.count == 10)
    }

    @Test("a press and its release that are read late are what they were by the kernel's clock")
    func readLate() {
        var button = Button()
        var events: [ButtonEvent] = []
        _ = button.handle(.level(isPressed: false), at: .zero, into: &events)
        _ = button.handle(.edge(isPressed: true, at: milliseconds(100)), at: milliseconds(9000), into: &events)
        _ = button.handle(.edge(isPressed: false, at: milliseconds(300)), at: milliseconds(9000), into: &events)
        #expect(events.isEmpty)
        _ = button.handle(.level(isPressed: false), at: milliseconds(9000), into: &events)
        #expect(events == [.pressed])
    }

    @Test("times that go back, or lie in the future, change nothing for the worse")
    func clocks() {
        var button = Button()
        var events: [ButtonEvent] = []
        _ = button.handle(.level(isPressed: false), at: milliseconds(5000), into: &events)
        let next = button.handle(
            .edge(isPressed: true, at: Timestamp(nanoseconds: .max)), at: milliseconds(6000), into: &events)
        #expect(next == milliseconds(6025))
        _ = button.handle(.edge(isPressed: false, at: .zero), at: milliseconds(6100), into: &events)
        _ = button.handle(.level(isPressed: false), at: milliseconds(6200), into: &events)
        #expect(events.isEmpty)
        _ = button.handle(.level(isPressed: false), at: .zero, into: &events)
        #expect(events.isEmpty)
    }

    @Test("a line that cannot be read cancels, and is nothing until it was read and let go")
    func unreadable() {
        var rig = Rig()
        rig.set(true, at: 0)
        rig.run(until: 3500)
        var events: [ButtonEvent] = []
        #expect(rig.button.handle(.unreadable, at: milliseconds(3600), into: &events) == nil)
        #expect(events == [.cancelled])
        _ = rig.button.handle(.level(isPressed: true), at: milliseconds(4000), into: &events)
        _ = rig.button.handle(.edge(isPressed: false, at: milliseconds(5000)), at: milliseconds(5000), into: &events)
        _ = rig.button.handle(.level(isPressed: false), at: milliseconds(5100), into: &events)
        #expect(events == [.cancelled])
    }

    @Test(
        "bouncing contacts, a busy event loop, lost edges: always what the person did",
        arguments: 0..<400 as Range<UInt64>)
    func bouncing(seed: UInt64) {
        var rig = Rig(seed: seed)
        var expected: [ButtonEvent] = []
        var time = 1000
        for _ in 0..<6 {
            // Away from the limits by more than a bounce.
            let length = [80, 300, 800, 1500, 2600, 3300, 7400, 9500, 10_500].randomElement(using: &rig.random) ?? 80
            rig.bouncingHold(from: time, to: time + length)
            let seconds = min(length / 1000, 10)
            for second in 0..<seconds {
                let held = second + 1
                expected.append(
                    held < 3
                        ? .holding(shutDownIn: 3 - held) : held < 10 ? .holdingOn(resetIn: 10 - held) : .factoryReset)
            }
            switch seconds {
            case 0: expected.append(.pressed)
            case 1..<3: expected.append(.cancelled)
            case 3..<10: expected.append(.shutDown)
            default: break
            }
            time += length + 3500
        }
        rig.run(until: time)
        #expect(rig.events == expected, "seed \(seed)")
        #expect(rig.deadline == nil)
    }
}
