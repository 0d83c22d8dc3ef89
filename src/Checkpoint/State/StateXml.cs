using System.Xml;

namespace Checkpoint;

/// <summary>XML documents as text and back.</summary>
internal static class StateXml
{
    // Reading a document type may reach for files and networks; so none is kept.
    private static readonly XmlReaderSettings Settings = new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, CheckCharacters = false };

    /// <summary>The document's text, or null where no document can be made of it again.</summary>
    public static string? ToText(XmlDocument document)
    {
        var text = document.OuterXml;
        try
        {
            return ScalarJson.IsUtf16(text) && Parse(text).OuterXml == text ? text : null;
        }
        catch (XmlException)
        {
            return null;
        }
    }

    /// <exception cref="XmlException">The text is no document.</exception>
    public static XmlDocument Parse(string text)
    {
        var document = new XmlDocument { PreserveWhitespace = true, XmlResolver = null };
        if (text.Length == 0)
            return document;
        using var reader = XmlReader.Create(new StringReader(text), Settings);
        document.Load(reader);
        return document;
    }
}
