import Glibc
import Raster
import Screens

/// Something that shows pictures or words. Used on the panel's event loop only.
protocol PanelSurface: AnyObject {
    /// The pictures it takes, as the person before it sees them; nil: it takes words.
    var format: PictureFormat? { get }
    /// How soon it shows what it is given.
    var pace: PanelPace { get }
    /// What is wrong with it; nil: nothing.
    var trouble: PanelTrouble? { get }

    /// Begins to work; what is missing is looked for again by itself.
    func start()

    /// Shows a screen. Returns soon; what is not there yet is shown later, and only the last of several.
    /// - Parameters:
    ///   - awaited: a person stands before it and waits.
    ///   - picture: makes the picture, if it needs one.
    func show(_ screen: Screen, awaited: Bool, picture: () throws -> Picture)

    /// Whether what was shown last stays to be seen when this process has ended.
    var keepsPicture: Bool { get }

    /// Waits until what was shown last is to be seen, then rests.
    /// - Parameter done: called once.
    func finish(_ done: @escaping () -> Void)
}

/// How soon a panel shows what it is given.
enum PanelPace {
    /// At once.
    case quick
    /// An e-paper: in a second or two, with a flash now and then.
    case paper
    /// An e-paper of three colours: in 15 seconds and more.
    case colorPaper

    /// How long a page is shown where the codes have no room beside each other. A phone is out and on the code in that time;
    /// an e-paper flashes and wears.
    var pageTime: Duration {
        switch self {
        case .quick: .seconds(6)
        case .paper: .seconds(60)
        case .colorPaper: .seconds(300)
        }
    }

    /// How long a screen waits for the next one before it is shown: one that is over by then would only keep the panel from
    /// what comes after it.
    func patience(_ screen: Screen) -> Duration? {
        switch (self, screen) {
        // It is over before a slow bus has brought its picture to a TFT, and the codes would have to wait for that.
        case (.quick, .rotating): .milliseconds(200)
        // After the machine's start a network or a radio comes a moment later than the box, and a cable may be loose.
        case (.quick, .trouble(let trouble)): trouble.mayPass ? .seconds(3) : nil
        case (.quick, _), (_, .room), (_, .updating), (_, .resetting), (_, .off), (_, .stopped): nil
        // What stands there may be true, and a box that fails at its start has something else to say.
        case (.paper, .starting): .seconds(10)
        case (.colorPaper, .starting): .seconds(20)
        case (.paper, .trouble(let trouble)): trouble.mayPass ? .seconds(10) : nil
        case (.colorPaper, .trouble(let trouble)): trouble.mayPass ? .seconds(20) : nil
        case (.paper, .rotating): .seconds(2)
        case (.paper, .holding), (.paper, .holdingOn): .milliseconds(500)
        case (.colorPaper, .rotating): .seconds(5)
        // The countdown is over before a picture would be there.
        case (.colorPaper, .holding), (.colorPaper, .holdingOn): .milliseconds(2500)
        // What follows stays when the power is gone.
        case (_, .shuttingDown): .seconds(5)
        }
    }
}

extension Screen {
    /// Whether the room may be there a moment later, without anybody's doing.
    var mayPass: Bool {
        switch self {
        case .starting: true
        case .trouble(let trouble): trouble.mayPass
        case .room, .rotating, .updating, .holding, .holdingOn, .resetting, .shuttingDown, .off, .stopped: false
        }
    }
}

extension Trouble {
    /// Whether it may be over a moment later, without anybody's doing.
    fileprivate var mayPass: Bool {
        switch self {
        case .noNetwork, .noRadio, .radioFails: true
        case .radioSwitchedOff, .noCountry, .wifiNetworkFails, .certificate, .clock, .storage, .failed, .shutdownFails,
            .resetFails, .other:
            false
        }
    }
}

/// Why a panel shows nothing, or not what it should.
public struct PanelTrouble: Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, in a word.
    public enum Kind: String, Sendable {
        /// A device or a line is not there, or may not be used.
        case missing
        /// The panel is busy for longer than its datasheet allows.
        case silent
        /// The bus took no data.
        case bus
        /// There are no letters to draw with.
        case font
        /// The file can't be written.
        case file
    }

    /// What is wrong, in a word.
    public let kind: Kind
    /// What is wrong and what to do, as a sentence without a capital and a full stop.
    public let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    init(_ kind: Kind, _ error: DeviceError) {
        // It begins with a small letter, and ends its sentences.
        self.init(kind, error.description.last == "." ? String(error.description.dropLast()) : error.description)
    }
}

extension DeviceError {
    /// Whether what was asked for is not there at all.
    var isMissing: Bool { code == ENOENT }
}
