import BoxConfiguration
import BoxNetwork
import BoxPanel
import Button
import Logging
import Screens
import Synchronization
import Testing

@testable import Box

/// What the panel shows of what happens, in the end above all: who reads "safe to unplug" does it.
@Suite(.timeLimit(.minutes(1))) struct FaceTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let machine = TestMachine()
    private let room = Screen.room(
        RoomScreen(
            name: "Box", wifi: nil, link: "https://box.local/#1", address: nil, people: .init(count: 0, healthy: 0)))

    private func makeFace(_ model: BoxConfiguration.Panel.Model = .none) -> Face {
        var configuration = BoxConfiguration(for: .person)
        configuration.panel.model = model
        configuration.button.enabled = .no
        configuration.button.shutdown = ["go", "off"]
        var times = Face.Times()
        times.finish = .seconds(5)
        times.shutdown = .milliseconds(300)
        times.notice = .milliseconds(300)
        times.memory = .milliseconds(300)
        return Face(
            configuration: configuration, directory: "/nowhere", machine: machine.asMachine, times: times,
            logger: logger)
    }

    private func openFace(
        reset: @escaping @Sendable (Face) async throws -> Void = { _ in }
    ) async -> (Face, Face.Actions) {
        let face = makeFace()
        let actions = Face.Actions(rotate: {}, reset: { try await reset(face) })
        await face.open(screen: { room }, actions: actions)
        return (face, actions)
    }

    /// Waits until the panel shows something.
    private func expect(
        _ screen: Screen?, on face: Face, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var shown: Screen?
        for _ in 0..<400 {
            shown = await face.snapshot().panel.screen
            if shown == screen { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(shown == screen, comment, sourceLocation: sourceLocation)
    }

    // MARK: The end

    @Test("the end of the process alone is no leave to unplug: the machine runs on")
    func stopped() async throws {
        let (face, _) = await openFace()
        try await expect(room, on: face)
        face.ending()
        await face.finish()
        try await expect(.stopped, on: face)
    }

    @Test("the machine goes off")
    func off() async throws {
        let (face, _) = await openFace()
        machine.state.withLock { $0.isGoingOff = true }
        face.ending()
        try await expect(.shuttingDown, on: face)
        await face.finish()
        try await expect(.off, on: face)
    }

    @Test("a failure stays to be seen, whenever it comes, and what comes later does not take it away")
    func failed() async throws {
        let early = makeFace()
        await early.finish(Failure())
        try await expect(.trouble(.failed("Port 443 is taken; stop who has it.")), on: early)
        let (face, _) = await openFace()
        // Services that are cancelled end the face as well.
        face.ending()
        await face.finish(Failure())
        await face.finish()
        await face.show(instead: nil)
        try await expect(.trouble(.failed("Port 443 is taken; stop who has it.")), on: face)
    }

    @Test("nothing is shown of a room that has closed")
    func closed() async throws {
        let (face, _) = await openFace()
        face.ending()
        await face.show(instead: .rotating)
        await face.update()
        await face.finish()
        try await expect(.stopped, on: face)
    }

    // MARK: New software

    @Test("while new software is installed the panel asks not to unplug the box, and the room is shown behind it")
    func updating() async throws {
        let (face, _) = await openFace()
        try await expect(room, on: face)
        // Two at once: the first that ends is not the end.
        for _ in 0..<2 { face.updating(true) }
        try await expect(.updating, on: face)
        face.updating(false)
        await face.update()
        try await expect(.updating, on: face, "what else happens does not take it away")
        await face.show(instead: .rotating)
        try await expect(.rotating, on: face)
        await face.show(instead: nil)
        try await expect(.updating, on: face)
        face.updating(false)
        await face.update()
        try await expect(room, on: face)
        face.ending()
        face.updating(true)
        await face.finish()
        try await expect(.stopped, on: face, "nothing comes after the last picture")
    }

    // MARK: Reset

    @Test("a reset by the command line is one, from its beginning to the last picture")
    func reset() async throws {
        let (face, _) = await openFace()
        await face.show(instead: .rotating)
        face.resetting()
        try await expect(.resetting, on: face)
        // The rotation that was on its way is done.
        await face.show(instead: nil)
        machine.state.withLock { $0.isGoingOff = true }
        face.ending()
        await face.finish()
        try await expect(.resetting, on: face)
    }

    @Test("a reset that fails is told on the panel and in the status, for a while")
    func resetFails() async throws {
        let (face, actions) = await openFace { face in
            face.resetting()
            throw Failure()
        }
        face.take(.factoryReset, actions)
        try await expect(.trouble(.resetFails), on: face)
        #expect(face.failure?.trouble == .resetFails)
        #expect(face.failure?.sentence == "the box could not be reset: port 443 is taken; stop who has it")
        try await expect(room, on: face, "the room is shown again")
        for _ in 0..<400 where face.failure != nil { try await Task.sleep(for: .milliseconds(5)) }
        #expect(face.failure == nil)
    }

    // MARK: Shutting down

    @Test("held for three seconds it shuts down, once, and no look at the room takes that away")
    func shutDown() async throws {
        let (face, actions) = await openFace()
        face.take(.holding(shutDownIn: 1), actions)
        try await expect(.holding(shutDownIn: 1), on: face)
        machine.state.withLock { $0.isSlow = true }
        face.take(.shutDown, actions)
        try await expect(.shuttingDown, on: face)
        face.take(.holding(shutDownIn: 2), actions)
        face.take(.shutDown, actions)
        face.take(.cancelled, actions)
        await face.update()
        try await expect(.shuttingDown, on: face)
        machine.state.withLock { $0.isSlow = false }
        try await Task.sleep(for: .milliseconds(100))
        #expect(machine.state.withLock { $0.commands } == [["go", "off"]])
        // It need not be systemd that ends the box.
        face.ending()
        await face.finish()
        try await expect(.off, on: face)
    }

    @Test("a command that fails is told")
    func shutdownFails() async throws {
        let (face, actions) = await openFace()
        machine.state.withLock { $0.end = .exited(4) }
        face.take(.shutDown, actions)
        try await expect(.trouble(.shutdownFails), on: face)
        #expect(face.failure?.sentence.contains("go off: it ended with status 4; correct button.shutdown") == true)
        try await expect(room, on: face)
        await face.finish()
        try await expect(.stopped, on: face, "nobody shut the machine down")
    }

    @Test("a command that does nothing is told, and the next that works takes that away")
    func shutdownDoesNothing() async throws {
        let (face, actions) = await openFace()
        face.take(.shutDown, actions)
        try await expect(.shuttingDown, on: face)
        try await expect(.trouble(.shutdownFails), on: face)
        face.take(.shutDown, actions)
        for _ in 0..<400 where face.failure != nil { try await Task.sleep(for: .milliseconds(5)) }
        #expect(face.failure == nil && machine.state.withLock { $0.commands.count } == 2)
    }
}

private struct Failure: Error, CustomStringConvertible {
    var description: String { "port 443 is taken; stop who has it" }
}

/// A machine that does as it is told.
private final class TestMachine: Sendable {
    struct State {
        var isGoingOff = false
        var end = ProgramEnd.exited(0)
        var isSlow = false
        var commands: [[String]] = []
    }
    let state = Mutex(State())

    var asMachine: Machine {
        Machine(
            run: { words in
                self.state.withLock { $0.commands.append(words) }
                while self.state.withLock({ $0.isSlow }) { try? await Task.sleep(for: .milliseconds(5)) }
                return self.state.withLock { $0.end }
            }, isGoingOff: { self.state.withLock { $0.isGoingOff } })
    }
}
