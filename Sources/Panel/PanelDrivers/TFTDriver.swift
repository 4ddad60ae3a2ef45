import Raster
import SansIO

/// What all TFTs do: reset and set up, write changed rows into the frame memory, wake up, rest, and begin again after a
/// failure.
///
/// A controller may not leave its sleep for 120 ms after a reset, but takes pictures into its memory: so the first one goes
/// over the bus during that wait, and is there when the glass becomes bright.
struct TFTDriver: Sendable {
    private enum State {
        /// Dark; nothing happens before `.start`.
        case resting
        /// The reset's program is being carried out.
        case resetting
        /// Set up, asleep, without a program; may be woken from `until` on.
        case asleep(until: Timestamp)
        /// Rows of a picture are on their way into the memory; `asleep` until then, nil when awake; `stale`: another picture
        /// came meanwhile.
        case writing([Range<Int>], of: [UInt16], asleep: Timestamp?, stale: Bool)
        /// The program that wakes it is being carried out.
        case waking
        /// Bright, without a program.
        case awake
        /// Nothing is sent before `until`, for something failed.
        case failed(until: Timestamp)
        /// The program that makes it dark is being carried out.
        case stopping
    }

    let format: PictureFormat
    private let programs: TFTPrograms
    private var state = State.resting
    /// The picture that was last given.
    private var wanted: Picture?
    /// Whether nobody was told yet that it is to be seen.
    private var isUntold = false
    /// What the frame memory holds.
    private var memory = KnownRows()
    /// Whether it is to rest, or to begin anew, when the present program is done.
    private var stopAfter = false
    private var startAfter = false
    /// The controller may not be put to sleep, or reset, before that.
    private var sleepInAllowed = Timestamp.zero
    /// Tried again first after longer than any controller asks for between two resets (120 ms).
    private var retry = RetrySchedule(first: .milliseconds(250), longest: .seconds(30))
    /// The failure that was told and did not pass yet.
    private var trouble: PanelFailure?

    init(glass: TFTGlass, sequences: TFTSequences) {
        format = PictureFormat(width: glass.width, height: glass.height, depth: .rgb565)
        programs = TFTPrograms(glass: glass, sequences: sequences)
    }

    mutating func handle(_ input: borrowing PanelInput, at now: Timestamp, into output: inout PanelOutput) -> Timestamp?
    {
        switch input {
        case .remember:
            // Without power a TFT shows nothing.
            break
        case .start:
            stopAfter = false
            if hasProgram { startAfter = true } else { reset(at: now, into: &output) }
        case .show(let picture, _):
            // Another format would be a mistake of ours: better the old picture than a wrong one.
            guard picture.format == format else { break }
            wanted = picture
            isUntold = true
            memory.compareAnew()
            if case .writing(let rows, let pixels, let asleep, _) = state {
                state = .writing(rows, of: pixels, asleep: asleep, stale: true)
            }
        case .finished:
            finished(at: now, into: &output)
        case .failed(let failure):
            failed(failure, at: now, into: &output)
        case .wake:
            break
        case .stop:
            startAfter = false
            if case .stopping = state { break }
            stopAfter = true
        }
        return proceed(at: now, into: &output)
    }

    private var hasProgram: Bool {
        switch state {
        case .resetting, .writing, .waking, .stopping: true
        case .resting, .asleep, .awake, .failed: false
        }
    }

    private mutating func reset(at now: Timestamp, into output: inout PanelOutput) {
        memory.forget()
        startAfter = false
        state = .resetting
        output.program = programs.reset(after: sleepInAllowed - now)
    }

    /// The program came to its end.
    private mutating func finished(at now: Timestamp, into output: inout PanelOutput) {
        let sequences = programs.sequences
        switch state {
        case .resetting:
            // The last reset was at least `afterReset` ago: of the time to wait, that is over.
            state = .asleep(until: now + (sequences.resetToSleepOut - sequences.afterReset))
        case .writing(let rows, let pixels, let asleep, let stale):
            memory.sent(rows, of: pixels, width: format.width, isWanted: !stale)
            state = asleep.map { .asleep(until: $0) } ?? .awake
        case .waking:
            sleepInAllowed = now + (sequences.sleepOutToSleepIn - sequences.behindSleepOut)
            state = .awake
            // The datasheets' chips have the picture. Copies of them exist that take none in their sleep: once more, unseen.
            memory.forget()
        case .stopping:
            state = .resting
            output.events.append(.stopped)
        case .resting, .asleep, .awake, .failed:
            break
        }
    }

    /// The program broke off somewhere.
    private mutating func failed(_ failure: PanelFailure, at now: Timestamp, into output: inout PanelOutput) {
        guard hasProgram else { return }
        if case .stopping = state {
            // More cannot be done for a panel that is to be left alone.
            state = .resting
            output.events += [.trouble(failure), .stopped]
            return
        }
        if case .waking = state { sleepInAllowed = now + programs.sequences.sleepOutToSleepIn }
        if trouble != failure { output.events.append(.trouble(failure)) }
        trouble = failure
        state = .failed(until: retry.failed(at: now))
    }

    /// Gives the next program, when it is time for one.
    private mutating func proceed(at now: Timestamp, into output: inout PanelOutput) -> Timestamp? {
        if hasProgram { return nil }
        if startAfter {
            reset(at: now, into: &output)
            return nil
        }
        if stopAfter {
            stopAfter = false
            stop(at: now, into: &output)
            return nil
        }
        switch state {
        case .failed(let until):
            if now < until { return until }
            reset(at: now, into: &output)
        case .asleep(let until):
            guard let wanted else { return nil }
            if write(wanted, asleep: until, into: &output) { return nil }
            if now < until { return until }
            state = .waking
            output.program = programs.wakeUp()
        case .awake:
            guard let wanted, !write(wanted, asleep: nil, into: &output) else { return nil }
            if trouble != nil { output.events.append(.recovered) }
            if isUntold { output.events.append(.shown) }
            trouble = nil
            isUntold = false
        case .resting, .resetting, .writing, .waking, .stopping:
            break
        }
        return nil
    }

    /// Sends what differs between the memory and a picture, or the first part of it.
    /// - Returns: whether anything did.
    private mutating func write(_ picture: Picture, asleep: Timestamp?, into output: inout PanelOutput) -> Bool {
        guard case .rgb565(let pixels) = picture.pixels else { return false }
        let rows = memory.changes(to: pixels, width: format.width, limit: programs.rowsAtOnce)
        if rows.isEmpty { return false }
        state = .writing(rows, of: pixels, asleep: asleep, stale: false)
        output.program = programs.write(pixels, rows: rows)
        return true
    }

    private mutating func stop(at now: Timestamp, into output: inout PanelOutput) {
        trouble = nil
        memory.forget()
        let delay = sleepInAllowed - now
        switch state {
        case .awake: output.program = programs.rest(after: delay)
        case .failed: output.program = programs.darken(after: delay)
        case .asleep: output.program = [.backlight(false)]
        case .resting:
            output.events.append(.stopped)
            return
        case .resetting, .writing, .waking, .stopping: return
        }
        state = .stopping
    }
}
