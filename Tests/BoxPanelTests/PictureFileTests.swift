import Foundation
import NIOCore
import NIOEmbedded
import Raster
import Screens
import Testing

@testable import BoxPanel

@Suite struct PictureFileTests {
    private let format = PictureFormat(width: 240, height: 320, depth: .rgb565)
    private let loop = EmbeddedEventLoop()
    private let directory = FileManager.default.temporaryDirectory.appendingPathComponent("panel-\(UUID())").path

    init() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    private func draw(_ screen: Screen) throws -> Picture {
        try ScreenRenderer(format: format, language: .english).draw(screen).picture
    }

    /// It holds the passphrase and the secret.
    @Test func theFileHoldsThePresentPictureForItsOwnerOnly() throws {
        let path = directory + "/panel.png"
        let file = PictureFile(path: path, mode: 0o600, format: format, loop: loop, onTrouble: {})
        for screen in [Screen.starting(name: "Box"), .room(.room()), .off] {
            file.show(screen, awaited: true) { try draw(screen) }
            #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) == draw(screen).png(), "\(screen)")
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["panel.png"], "nothing is left over")
        #expect(file.trouble == nil)
        try FileManager.default.removeItem(atPath: directory)
    }

    @Test func aPlaceThatCannotBeWrittenToIsReportedUntilItCan() throws {
        var changes = 0
        let path = directory + "/later/panel.png"
        let file = PictureFile(path: path, mode: 0o644, format: format, loop: loop, onTrouble: { changes += 1 })
        file.show(.off, awaited: true) { try draw(.off) }
        let trouble = try #require(file.trouble)
        #expect(trouble.kind == .file && trouble.description.contains(path))
        file.show(.off, awaited: true) { try draw(.off) }
        #expect(changes == 1)
        try FileManager.default.createDirectory(atPath: directory + "/later", withIntermediateDirectories: true)
        file.show(.off, awaited: true) { try draw(.off) }
        #expect(file.trouble == nil && changes == 2)
        try FileManager.default.removeItem(atPath: directory)
    }

    /// What could not be written stayed away until the next screen: an old code, on a box that had changed it.
    @Test func whatCouldNotBeWrittenIsTriedAgain() throws {
        let path = directory + "/later/panel.png"
        let file = PictureFile(path: path, mode: 0o600, format: format, loop: loop, onTrouble: {})
        file.show(.rotating, awaited: true) { try draw(.rotating) }
        file.show(.off, awaited: true) { try draw(.off) }
        try FileManager.default.createDirectory(atPath: directory + "/later", withIntermediateDirectories: true)
        loop.advanceTime(by: .seconds(5))
        #expect(file.trouble == nil)
        #expect(try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) == draw(.off).png())
        // Once, and not after the end.
        try FileManager.default.removeItem(atPath: path)
        loop.advanceTime(by: .seconds(20))
        #expect(!FileManager.default.fileExists(atPath: path))
        try FileManager.default.removeItem(atPath: directory)
    }

    /// Under the service's mask of 077, a file for others was its owner's only.
    @Test func theFileOfAnOwnersChoiceIsForOthersToo() throws {
        let former = umask(0o077)
        defer { umask(former) }
        let file = PictureFile(path: directory + "/own.png", mode: 0o644, format: format, loop: loop, onTrouble: {})
        file.show(.off, awaited: true) { try draw(.off) }
        let attributes = try FileManager.default.attributesOfItem(atPath: directory + "/own.png")
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o644)
        try FileManager.default.removeItem(atPath: directory)
    }

    /// Readers at any moment find a whole picture: the file's name moves from one to the next.
    @Test func aLinkAtTheNewFilesNameIsNotFollowed() throws {
        let victim = directory + "/victim"
        try Data("mine".utf8).write(to: URL(fileURLWithPath: victim))
        try FileManager.default.createSymbolicLink(
            atPath: directory + "/panel.png.new", withDestinationPath: victim)
        let file = PictureFile(path: directory + "/panel.png", mode: 0o600, format: format, loop: loop, onTrouble: {})
        file.show(.off, awaited: true) { try draw(.off) }
        #expect(try String(contentsOfFile: victim, encoding: .utf8) == "mine")
        #expect(file.trouble == nil)
        try FileManager.default.removeItem(atPath: directory)
    }
}
