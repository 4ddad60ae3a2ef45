import PanelDrivers
import PanelSimulator
import Raster
import SansIO
import Testing

/// When e-papers are refreshed, and how, in virtual time.
@Suite struct EPaperPolicyTests {
    @Test("Three colours: at most every 180 s, the last picture counts", arguments: EPaperKind.smallAccent)
    func threeColours(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.bus.panel.circuit.leastInterval = .seconds(180)
        bench.give(.start)
        for seed in UInt64(0)..<60 {
            bench.give(.show(kind.picture(seed)))
            bench.pass(.seconds(10))
        }
        #expect(bench.panel.violations == [])
        // 15 s of refresh, 180 s of rest.
        #expect(bench.seconds == [0, 195, 390, 585])
        bench.pass(.seconds(200))
        #expect(bench.visible == kind.picture(59))
        #expect(bench.events.last == .shown)
    }

    @Test("Three colours: what a person waits for comes at once", arguments: EPaperKind.smallAccent)
    func awaited(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.give(.start)
        bench.give(.show(kind.picture(1)))
        bench.pass(.seconds(5))
        bench.give(.show(kind.picture(2)))
        #expect(bench.program == nil && bench.visible == kind.picture(1))
        let pressed = bench.now
        bench.give(.show(kind.picture(3), awaited: true))
        #expect(bench.visible == kind.picture(3))
        #expect(bench.now - pressed < .seconds(16))
        #expect(bench.refreshes.count == 2)
        #expect(bench.takeEvents() == [.shown, .shown])
        #expect(bench.panel.violations == [])
    }

    @Test("Somebody still waits when the awaited picture is replaced by a newer one", arguments: EPaperKind.small)
    func awaitedAndReplaced(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.give(.start)
        bench.tell(.show(kind.picture(1)))
        bench.tell(.show(kind.picture(2), awaited: true))
        bench.tell(.show(kind.picture(3)))
        bench.carryOut()
        bench.carryOut()
        #expect(bench.visible == kind.picture(3))
        #expect(bench.refreshes.count == 2)
    }

    @Test("Two colours: five partial refreshes 30 s apart, then a full one", arguments: EPaperKind.smallMono)
    func partials(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.bus.panel.circuit.leastInterval = .seconds(180)
        bench.give(.start)
        for seed in UInt64(0)..<100 {
            bench.give(.show(kind.picture(seed)))
            bench.pass(.seconds(5))
        }
        bench.pass(.seconds(300))
        #expect(bench.visible == kind.picture(99))
        #expect(bench.panel.violations == [])
        let kinds = bench.refreshes.map(\.isPartial)
        #expect(kinds.count > 12)
        for (index, isPartial) in kinds.enumerated() { #expect(isPartial == (index % 6 != 0)) }
        for (earlier, later) in zip(bench.refreshes, bench.refreshes.dropFirst()) {
            #expect(later.began - earlier.ended >= .seconds(30))
            #expect(later.began - earlier.ended < .seconds(31 + 5))
        }
    }

    @Test("Two colours: a countdown goes with its seconds", arguments: EPaperKind.smallMono)
    func countdown(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.give(.start)
        bench.give(.show(kind.picture(0)))
        for second in UInt64(1)...3 {
            bench.give(.show(kind.picture(second), awaited: true))
            #expect(bench.visible == kind.picture(second))
            bench.pass(.milliseconds(500))
        }
        #expect(bench.refreshes.dropFirst().allSatisfy { $0.isPartial && $0.ended - $0.began < .milliseconds(600) })
    }

    @Test(
        "Traces of partial refreshes go within an hour, pictures are renewed every day", arguments: EPaperKind.smallMono
    )
    func upkeep(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.give(.start)
        bench.give(.show(kind.picture(1)))
        bench.pass(.seconds(60))
        bench.give(.show(kind.picture(2)))
        #expect(bench.takeEvents() == [.shown, .shown])
        bench.pass(.seconds(3700))
        #expect(bench.refreshes.map(\.isPartial) == [false, true, false])
        #expect(bench.seconds[2] == 3602 || bench.seconds[2] == 3603 || bench.seconds[2] == 3601)
        bench.pass(.seconds(3 * 86_400))
        #expect(bench.refreshes.map(\.isPartial) == [false, true, false, false, false, false])
        #expect(bench.visible == kind.picture(2))
        // Nobody asked for these.
        #expect(bench.takeEvents() == [])
        #expect(bench.panel.violations == [])
    }

    @Test("A picture more than an hour after the last full refresh gets a full one", arguments: EPaperKind.smallMono)
    func oldGlass(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.give(.start)
        bench.give(.show(kind.picture(1)))
        bench.pass(.seconds(3700))
        bench.give(.show(kind.picture(2)))
        #expect(bench.refreshes.map(\.isPartial) == [false, false])
    }

    @Test("What is seen already needs no refresh", arguments: EPaperKind.small)
    func same(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.give(.start)
        bench.give(.show(kind.picture(1)))
        bench.give(.show(kind.picture(1), awaited: true))
        #expect(bench.refreshes.count == 1)
        // A change that is taken back before it may come.
        bench.give(.show(kind.picture(2)))
        bench.give(.show(kind.picture(1)))
        bench.pass(.seconds(400))
        #expect(bench.refreshes.count == 1)
        #expect(bench.takeEvents() == [.shown, .shown, .shown])
    }

    @Test("Of pictures that come during a refresh only the last is kept", arguments: EPaperKind.small)
    func busy(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.give(.start)
        bench.tell(.show(kind.picture(1)))
        for seed in UInt64(2)...9 { bench.tell(.show(kind.picture(seed))) }
        bench.carryOut()
        #expect(bench.takeEvents() == [])
        #expect(bench.visible == kind.picture(1))
        bench.pass(.seconds(200))
        #expect(bench.refreshes.count == 2)
        #expect(bench.visible == kind.picture(9))
        #expect(bench.takeEvents() == [.shown])
        // Back to what is on its way.
        bench.tell(.show(kind.picture(10), awaited: true))
        bench.tell(.show(kind.picture(11)))
        bench.tell(.show(kind.picture(10)))
        bench.carryOut()
        #expect(bench.program == nil)
        #expect(bench.takeEvents() == [.shown])
    }

    @Test("An idle panel asks for nothing before its day is over", arguments: EPaperKind.small)
    func idle(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.give(.start)
        #expect(bench.deadline == nil)
        bench.give(.show(kind.picture(1)))
        #expect(bench.deadline == bench.now + .seconds(86_400))
    }

    @Test("Stopped at any moment, the last picture is whole, and it stays", arguments: EPaperKind.small)
    func stop(kind: EPaperKind) {
        // Before anything was shown.
        var bench = EPaperBench(kind)
        bench.give(.stop)
        bench.give(.start)
        bench.give(.stop)
        #expect(bench.takeEvents() == [.stopped, .stopped])
        // While it rests, while a picture waits, and during a refresh with another picture behind it.
        for pictures in [1, 2, 3] {
            var bench = EPaperBench(kind)
            bench.give(.start)
            bench.give(.show(kind.picture(1)))
            if pictures == 2 { bench.tell(.show(kind.picture(2))) }
            if pictures == 3 {
                bench.tell(.show(kind.picture(2), awaited: true))
                bench.tell(.show(kind.picture(3)))
            }
            bench.give(.stop)
            #expect(bench.events.last == .stopped)
            #expect(bench.visible == kind.picture(UInt64(pictures)))
            #expect(bench.deadline == nil)
            // It stays for weeks: without traces.
            #expect(bench.refreshes.last?.isPartial == false)
            bench.pass(.seconds(7 * 86_400))
            #expect(bench.visible == kind.picture(UInt64(pictures)))
            #expect(bench.panel.circuit.isAsleep && bench.panel.violations == [])
            // And it starts again, with a full refresh.
            bench.give(.start)
            bench.give(.show(kind.picture(9)))
            #expect(bench.visible == kind.picture(9))
            #expect(bench.refreshes.last?.isPartial == false)
        }
    }

    @Test("A box that fails and is started again all the time does not wear its panel", arguments: EPaperKind.small)
    func restarts(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.give(.start)
        // The same screen each time: it is there already.
        for life in 0..<600 {
            if life > 0 { bench.restart(kind) }
            bench.give(.show(kind.picture(1), awaited: true))
            #expect(bench.takeEvents() == [.shown])
            bench.give(.stop)
            #expect(bench.takeEvents() == [.stopped])
            bench.pass(.seconds(1))
        }
        #expect(bench.refreshes.count == 1)
        // Another screen each time, as if a person waited for it, for an hour.
        let began = bench.now
        var life: UInt64 = 0
        while bench.now - began < .seconds(3600) {
            life += 1
            bench.restart(kind)
            bench.give(.show(kind.picture(2 + life % 5), awaited: true))
            bench.pass(.seconds(1))
            bench.give(.show(kind.picture(2 + (life + 1) % 5), awaited: true))
            bench.give(.stop)
            bench.pass(.seconds(1))
        }
        #expect(bench.panel.violations == [])
        #expect(bench.refreshes.count(where: { !$0.isPartial }) <= 3600 / 180 + 8)
        #expect(life > 500)
    }

    @Test("After a restart a new picture waits as long as without one", arguments: EPaperKind.small)
    func pacedAfterRestart(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.bus.panel.circuit.leastInterval = .seconds(180)
        bench.give(.start)
        bench.give(.show(kind.picture(1)))
        bench.pass(.seconds(60))
        bench.restart(kind)
        bench.give(.show(kind.picture(2)))
        #expect(bench.refreshes.count == 1)
        bench.pass(.seconds(121))
        #expect(bench.visible == kind.picture(2))
        #expect(bench.refreshes.count == 2 && bench.panel.violations == [])
        // And what was recognised is known well enough for a partial refresh.
        bench.restart(kind)
        bench.give(.show(kind.picture(2)))
        bench.give(.show(kind.picture(3), awaited: true))
        #expect(bench.visible == kind.picture(3))
        #expect(bench.refreshes.last?.isPartial == kind.isMono)
    }

    @Test("A process that was killed in a refresh leaves a glass that nobody knows", arguments: EPaperKind.small)
    func killed(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.give(.start)
        bench.give(.show(kind.picture(1)))
        bench.pass(.seconds(600))
        bench.tell(.show(kind.picture(2)))
        #expect(bench.program != nil && bench.memory?.picture == nil)
        bench.restart(kind)
        bench.give(.show(kind.picture(1), awaited: true))
        #expect(bench.refreshes.count == 2 && bench.visible == kind.picture(1))
    }

    @Test("A hurry has its limit: on average never more than one full refresh in 180 s", arguments: EPaperKind.small)
    func hurry(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.give(.start)
        let began = bench.now
        for seed in UInt64(0)..<2000 {
            bench.give(.show(kind.picture(seed % 7), awaited: true))
            bench.pass(.seconds(2))
        }
        let took = Int((bench.now - began).wholeNanoseconds / 1_000_000_000)
        let fulls = bench.refreshes.count { !$0.isPartial }
        #expect(fulls >= took / 180 - 7 && fulls <= took / 180 + 7)
        // The end has its own.
        bench.give(.show(kind.picture(7777), awaited: true))
        bench.give(.stop)
        #expect(bench.visible == kind.picture(7777) && bench.events.last == .stopped)
        #expect(bench.panel.violations == [])
    }

    @Test("The simulated panel counts refreshes that come too often", arguments: EPaperKind.small)
    func counted(kind: EPaperKind) {
        var bus = EPaperBench(kind).bus
        var now = Timestamp(nanoseconds: 1_000_000_000)
        for seed in UInt64(0)..<8 {
            #expect(bus.panel.violations.isEmpty == (seed < (kind.isMono ? 8 : 5)))
            _ = bus.carryOut(kind.chip.program(showing: kind.picture(seed), over: nil), at: &now)
        }
        #expect(!bus.panel.violations.isEmpty)
    }

    @Test("A picture that came before the start is shown after it", arguments: EPaperKind.small)
    func early(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.give(.show(kind.picture(1)))
        #expect(bench.refreshes.isEmpty)
        bench.give(.start)
        #expect(bench.visible == kind.picture(1))
    }
}
