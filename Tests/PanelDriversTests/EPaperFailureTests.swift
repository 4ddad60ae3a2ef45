import PanelDrivers
import PanelSimulator
import Raster
import SansIO
import TestSupport
import Testing

/// Panels and buses that fail.
@Suite struct EPaperFailureTests {
    @Test(
        "A panel that never answers is tried again with growing pauses, until it answers", arguments: EPaperKind.small)
    func neverAnswers(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.bus.panel.circuit.isStuck = true
        bench.give(.start)
        var trials: [Timestamp] = []
        bench.tell(.show(kind.picture(1)))
        while trials.count < 9 {
            if bench.program != nil { trials.append(bench.now) }
            bench.carryOut()
            if let due = bench.deadline {
                bench.now = due
                bench.tell(.wake)
            }
        }
        // A second for the answer, then the pause.
        let pauses = zip(trials, trials.dropFirst()).map { Int(($1 - $0).wholeNanoseconds / 1_000_000_000) }
        #expect(pauses == [6, 11, 21, 41, 81, 161, 181, 181])
        #expect(bench.takeEvents() == [.trouble(.busyTooLong)])
        #expect(bench.refreshes.isEmpty)
        bench.bus.panel.circuit.isStuck = false
        bench.pass(.seconds(200))
        #expect(bench.takeEvents() == [.recovered, .shown])
        #expect(bench.visible == kind.picture(1))
        #expect(bench.panel.violations == [])
    }

    @Test("What a person waits for is tried at once on a panel that failed before", arguments: EPaperKind.small)
    func awaitedInTrouble(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.bus.panel.circuit.isStuck = true
        bench.give(.start)
        bench.give(.show(kind.picture(1)))
        bench.pass(.seconds(400))
        bench.bus.panel.circuit.isStuck = false
        bench.give(.show(kind.picture(2), awaited: true))
        bench.pass(.seconds(5))
        #expect(bench.visible == kind.picture(2))
    }

    @Test("A panel whose refresh does not end", arguments: EPaperKind.small)
    func endless(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.bus.panel.circuit.slowness = 1000
        bench.give(.start)
        bench.give(.show(kind.picture(1)))
        #expect(bench.takeEvents() == [.trouble(.busyTooLong)])
        bench.bus.panel.circuit.slowness = 1
        bench.pass(.seconds(60))
        #expect(bench.takeEvents() == [.recovered, .shown])
        #expect(bench.visible == kind.picture(1))
        #expect(bench.panel.violations == [])
    }

    @Test("A bus that fails at any operation of any program: told, tried again, whole", arguments: EPaperKind.small)
    func everyOperation(kind: EPaperKind) {
        for isPartial in kind.isMono ? [false, true] : [false] {
            let old = isPartial ? kind.picture(1) : nil
            for index in kind.chip.program(showing: kind.picture(2), over: old).indices {
                var bench = EPaperBench(kind)
                bench.give(.start)
                if isPartial { bench.give(.show(kind.picture(1))) }
                bench.tell(.show(kind.picture(2), awaited: true))
                bench.carryOut(failing: index)
                #expect(bench.events.last == .trouble(.bus(5)))
                bench.events = []
                bench.pass(.seconds(30))
                #expect(bench.takeEvents() == [.recovered, .shown])
                #expect(bench.visible == kind.picture(2))
                #expect(bench.refreshes.last?.isPartial == false)
                #expect(bench.panel.violations == [])
            }
        }
    }

    @Test("Another failure is told, the same is not", arguments: EPaperKind.small)
    func told(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.give(.start)
        bench.tell(.show(kind.picture(1)))
        for failing in [0, 1, nil] {
            if failing == nil { bench.bus.panel.circuit.isStuck = true }
            bench.carryOut(failing: failing)
            bench.now = bench.deadline ?? bench.now
            bench.tell(.wake)
        }
        #expect(bench.takeEvents() == [.trouble(.bus(5)), .trouble(.busyTooLong)])
    }

    @Test("A broken panel does not hold up the end", arguments: EPaperKind.small)
    func stopInTrouble(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        bench.bus.panel.circuit.isStuck = true
        bench.give(.start)
        bench.give(.show(kind.picture(1)))
        bench.give(.stop)
        #expect(bench.takeEvents() == [.trouble(.busyTooLong), .stopped])
        // Also when it breaks on its way to the end.
        bench = EPaperBench(kind)
        bench.give(.start)
        bench.tell(.show(kind.picture(1)))
        bench.tell(.stop)
        bench.carryOut(failing: 3)
        #expect(bench.takeEvents() == [.trouble(.bus(5)), .stopped])
        #expect(bench.program == nil && bench.deadline == nil)
    }

    @Test("What comes unasked is ignored", arguments: EPaperKind.small)
    func unasked(kind: EPaperKind) {
        var bench = EPaperBench(kind)
        for input in [
            PanelInput.finished, .failed(.bus(1)), .wake, .start, .finished, .failed(.busyTooLong), .start, .wake,
        ] {
            bench.tell(input)
        }
        #expect(bench.takeEvents() == [] && bench.program == nil && bench.deadline == nil)
        bench.give(.show(kind.picture(1)))
        #expect(bench.visible == kind.picture(1))
    }

    @Test("Anything at any time: no rule is broken, and in the end the last picture is there", arguments: 0..<300)
    func random(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let kind = EPaperKind.small[seed % EPaperKind.small.count]
        let pictures = (UInt64(0)..<5).map { kind.picture($0) }
        var bench = EPaperBench(kind)
        var last: Picture?
        // Whether something excuses the next refresh from its pace.
        var mayHurry = true
        var mayHurryThen = false
        var isStopping = false
        bench.tell(.start)
        for _ in 0..<60 {
            switch Int.random(in: 0..<12, using: &generator) {
            case 0...4:
                let picture = pictures.randomElement(using: &generator) ?? pictures[0]
                let isAwaited = Int.random(in: 0..<4, using: &generator) == 0
                if bench.program == nil {
                    mayHurry = mayHurry || isAwaited
                } else {
                    mayHurryThen = mayHurryThen || isAwaited
                }
                last = picture
                bench.tell(.show(picture, awaited: isAwaited))
            case 5...7:
                let step = Duration.milliseconds(Int.random(in: 0..<200_000, using: &generator))
                guard bench.program == nil else { continue }
                bench.now = min(bench.deadline ?? .init(nanoseconds: .max), bench.now + step)
                bench.tell(.wake)
            case 8:
                bench.bus.panel.circuit.isStuck = Int.random(in: 0..<3, using: &generator) == 0
            case 9 where Int.random(in: 0..<8, using: &generator) == 0:
                mayHurry = true
                bench.tell(.stop)
                if bench.program == nil { bench.tell(.start) } else { isStopping = true }
            default:
                guard let program = bench.program else { continue }
                bench.bus.panel.circuit.leastInterval = mayHurry || kind.isMono ? .zero : .seconds(180)
                let fails = Int.random(in: 0..<5, using: &generator) == 0
                let told = bench.events.count
                mayHurry = fails || bench.panel.circuit.isStuck || mayHurryThen || isStopping
                mayHurryThen = false
                bench.carryOut(failing: fails ? program.indices.randomElement(using: &generator) : nil)
                if fails { bench.bus.panel.circuit.forgive(at: bench.now) }
                if bench.events.dropFirst(told).contains(.shown) { #expect(bench.visible == last) }
                if bench.events.contains(.stopped) {
                    bench.events = []
                    mayHurry = true
                    isStopping = false
                    if bench.program == nil { bench.tell(.start) }
                }
            }
        }
        bench.bus.panel.circuit.isStuck = false
        bench.bus.panel.circuit.leastInterval = .zero
        bench.pass(.seconds(1000))
        bench.tell(.start)
        bench.pass(.seconds(1000))
        #expect(bench.panel.violations == [])
        if let last {
            bench.give(.show(last))
            bench.pass(.seconds(1000))
            #expect(bench.visible == last)
        }
    }
}
