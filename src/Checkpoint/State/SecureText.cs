using System.Runtime.InteropServices;
using System.Security;

namespace Checkpoint;

/// <summary>The characters of a SecureString, on every system alike.</summary>
internal static class SecureText
{
    /// <summary>Reads them into memory that the caller overwrites.</summary>
    public static char[] Read(SecureString text)
    {
        var characters = new char[text.Length];
        var memory = Marshal.SecureStringToGlobalAllocUnicode(text);
        try
        {
            Marshal.Copy(memory, characters, 0, characters.Length);
            return characters;
        }
        finally
        {
            Marshal.ZeroFreeGlobalAllocUnicode(memory);
        }
    }
}
